// A page that is empty until its script has the state from the shop's API.
import { createRoot } from 'react-dom/client';
import { Shop } from './react-shop.jsx';

const answer = await fetch(document.documentElement.dataset.api);
createRoot(document.getElementById('app')).render(<Shop state={(await answer.json()).data} />);
