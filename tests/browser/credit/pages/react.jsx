// The React page in the browser: takes over what the server rendered, from the state beside it, as Next.js does.
import { hydrateRoot } from 'react-dom/client';
import { Shop } from './react-shop.jsx';

const { props } = JSON.parse(document.getElementById('__NEXT_DATA__').textContent);
hydrateRoot(document.getElementById('app'), <Shop state={props.pageProps} />);
