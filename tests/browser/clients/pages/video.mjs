// A page with a film: ads first, as its tag says.
import { begin, preroll, report } from './player.mjs';

const plan = JSON.parse(document.getElementById('plan').textContent);

window.report = () => report;
await preroll(plan.url);
begin('/film.png');
document.documentElement.dataset.done = 'yes';
