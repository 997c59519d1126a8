// The same page in Lit: a template that the page is made of, and elements with trees of their own for what may be left out.
import { css, html, LitElement, nothing } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { money } from './common.mjs';

class Banner extends LitElement {
  static properties = { state: { attribute: false } };

  static styles = css`:host { display: block; background: #123; color: #fff; padding: 1.5rem; margin: 1rem 0 } a { color: #fd5 }`;

  render() {
    const { banner } = this.state;
    return html`
      <h2>${banner.heading}</h2>
      <p>${banner.before} <b>${money(this.state, banner.amount)}</b> ${banner.after}</p>
      <a href=${banner.href}>${banner.action}</a>
      ${banner.warning ? html`<small>${banner.warning}</small>` : nothing}`;
  }
}
customElements.define('shop-banner', Banner);

class Card extends LitElement {
  static properties = { card: { type: Object } };

  render() {
    return html`<h3>${this.card.heading}</h3><p>${this.card.text}</p>`;
  }
}
customElements.define('shop-card', Card);

class Basket extends LitElement {
  static properties = { state: { attribute: false }, count: { state: true } };

  constructor() {
    super();
    this.count = 0;
  }

  render() {
    return html`
      <button id="add" @click=${() => { this.count += 1; }}>${this.state.add}</button>
      <p id="cart">${this.state.cart}: ${this.count}</p>`;
  }
}
customElements.define('shop-basket', Basket);

export const page = (state) => html`
  <main>
    <h1>${state.greeting}</h1>
    ${state.banner ? html`<shop-banner .state=${state}></shop-banner>` : html``}
    <ul class="cards">${repeat(state.cards, (card) => card.id, (card) => html`
      <li class="card" id=${card.id}><shop-card card=${JSON.stringify(card)}></shop-card></li>`)}
    </ul>
    <div id="after">
      ${state.products.map((one) => html`<p class="product">${one.name}: ${money(state, one.price)}</p>`)}
      <shop-basket .state=${state}></shop-basket>
    </div>
    <footer><small>${state.warning}</small></footer>
  </main>`;
