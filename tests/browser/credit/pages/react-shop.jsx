// A shop's first page as a React component: a banner or none, cards, products.
import { useEffect, useState } from 'react';
import { hydrated, money } from './common.mjs';

export function Shop({ state }) {
  const [count, setCount] = useState(0);
  useEffect(hydrated, []);
  return (
    <main>
      <h1>{state.greeting}</h1>
      {state.banner && (
        <section className="banner">
          <h2>{state.banner.heading}</h2>
          <p>{state.banner.before} <b>{money(state, state.banner.amount)}</b> {state.banner.after}</p>
          <a href={state.banner.href}>{state.banner.action}</a>
          {state.banner.warning && <small>{state.banner.warning}</small>}
        </section>
      )}
      <ul className="cards">
        {state.cards.map((card) => (
          <li key={card.id} className="card"><h3>{card.heading}</h3><p>{card.text}</p></li>
        ))}
      </ul>
      <div id="after">
        {state.products.map((one) => (
          <p key={one.name} className="product">{one.name}: {money(state, one.price)}</p>
        ))}
        <button id="add" onClick={() => setCount(count + 1)}>{state.add}</button>
        <p id="cart">{state.cart}: {count}</p>
      </div>
      <footer><small>{state.warning}</small></footer>
    </main>
  );
}
