"""A study's rows in the formats of others: one module each, and the folder they go into with what must be known of them."""
