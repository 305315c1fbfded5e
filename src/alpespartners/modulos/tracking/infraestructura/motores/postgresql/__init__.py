"""PostgreSQL: un servidor que escriben varios procesos a la vez."""
