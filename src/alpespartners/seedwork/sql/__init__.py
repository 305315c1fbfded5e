"""SQL sobre SQLite y PostgreSQL: tipos de columna exactos y sentencias por lotes."""
