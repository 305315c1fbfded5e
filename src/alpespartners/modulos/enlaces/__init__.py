"""El módulo de enlaces: adónde lleva cada enlace corto, de quién es, y el clic que se prueba a sí mismo."""
