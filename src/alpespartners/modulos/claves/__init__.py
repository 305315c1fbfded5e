"""El módulo de claves: quién puede usar el servicio, para qué y hasta cuándo."""
