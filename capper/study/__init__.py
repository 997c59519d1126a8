"""What researchers measure: exposures of people who agreed, the figures made of them, and how they leave the machine."""
