// The script of a page that the server made whole: the button works, and nothing else is done.
import { hydrated } from './common.mjs';

const cart = document.getElementById('cart');
let count = 0;
document.getElementById('add').addEventListener('click', () => {
  count += 1;
  cart.textContent = `${cart.textContent.split(':')[0]}: ${count}`;
});
hydrated();
