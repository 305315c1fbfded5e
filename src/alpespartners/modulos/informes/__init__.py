"""El módulo de informes: cuánto hubo, contado en la misma transacción que lo guarda."""
