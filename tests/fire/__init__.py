"""The whole system under fire: real processes, a seeded load, a seeded schedule of faults, every person compared."""
