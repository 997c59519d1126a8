// The same page as an Angular component, compiled where it runs: `@if` and `@for` are found again by count.
import { afterNextRender, Component, inject, InjectionToken, makeStateKey, provideZonelessChangeDetection, signal, TransferState } from '@angular/core';
import { provideClientHydration } from '@angular/platform-browser';
import { hydrated, money } from './common.mjs';

export const STATE = new InjectionToken('what the server draws');
const KEY = makeStateKey('shop');

class ShopComponent {
  constructor() {
    const transfer = inject(TransferState);
    const drawn = inject(STATE, { optional: true });
    if (drawn) transfer.set(KEY, drawn);
    this.state = drawn ?? transfer.get(KEY, null);
    this.count = signal(0);
    afterNextRender(hydrated);
  }

  money(value) { return money(this.state, value); }
}

Component({
  selector: 'app-root',
  template: `
    <main>
      <h1>{{ state.greeting }}</h1>
      @if (state.banner) {
        <section class="banner">
          <h2>{{ state.banner.heading }}</h2>
          <p>{{ state.banner.before }} <b>{{ money(state.banner.amount) }}</b> {{ state.banner.after }}</p>
          <a [attr.href]="state.banner.href">{{ state.banner.action }}</a>
        </section>
      }
      <ul class="cards">
        @for (card of state.cards; track card.id) {
          <li class="card"><h3>{{ card.heading }}</h3><p>{{ card.text }}</p></li>
        }
      </ul>
      <div id="after">
        @for (one of state.products; track one.name) {
          <p class="product">{{ one.name }}: {{ money(one.price) }}</p>
        }
        <button id="add" (click)="count.set(count() + 1)">{{ state.add }}</button>
        <p id="cart">{{ state.cart }}: {{ count() }}</p>
      </div>
      <footer><small>{{ state.warning }}</small></footer>
    </main>`,
})(ShopComponent);

export const Shop = ShopComponent;
export const providers = [provideZonelessChangeDetection(), provideClientHydration()];
