"""Las reglas de un informe; solo biblioteca estándar."""
