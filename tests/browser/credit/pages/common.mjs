// What each of the shop's pages needs, whatever it is made with.
export const hydrated = () => { document.documentElement.dataset.hydrated = ''; };

export const money = (state, value) =>
  new Intl.NumberFormat(state.locale, { style: 'currency', currency: state.currency, maximumFractionDigits: 0 }).format(value);
