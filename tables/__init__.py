"""The tables by which capper's measurements are judged: from seeds, each with its tolerance."""
