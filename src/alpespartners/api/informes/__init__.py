"""Las rutas de los informes: cuánto hubo en una campaña."""
