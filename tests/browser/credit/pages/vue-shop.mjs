// The same page as a Vue component, from a template: `v-if` and `v-for` leave the comments that hydration goes by.
import { money } from './common.mjs';

export const Shop = {
  props: ['state'],
  data: () => ({ count: 0 }),
  methods: {
    money(value) { return money(this.state, value); },
  },
  template: `
    <main>
      <h1>{{ state.greeting }}</h1>
      <section v-if="state.banner" class="banner">
        <h2>{{ state.banner.heading }}</h2>
        <p>{{ state.banner.before }} <b>{{ money(state.banner.amount) }}</b> {{ state.banner.after }}</p>
        <a :href="state.banner.href">{{ state.banner.action }}</a>
        <small v-if="state.banner.warning">{{ state.banner.warning }}</small>
      </section>
      <ul class="cards">
        <li v-for="card in state.cards" :key="card.id" class="card"><h3>{{ card.heading }}</h3><p>{{ card.text }}</p></li>
      </ul>
      <div id="after">
        <p v-for="one in state.products" :key="one.name" class="product">{{ one.name }}: {{ money(one.price) }}</p>
        <button id="add" @click="count++">{{ state.add }}</button>
        <p id="cart">{{ state.cart }}: {{ count }}</p>
      </div>
      <footer><small>{{ state.warning }}</small></footer>
    </main>`,
};
