import '@angular/compiler';
import { bootstrapApplication } from '@angular/platform-browser';
import { providers, Shop } from './angular-shop.mjs';

bootstrapApplication(Shop, { providers }).catch((error) => console.error(error));
