"""Los motores: el libro y sus lecturas sobre SQLite y sobre PostgreSQL, cada uno con lo suyo."""
