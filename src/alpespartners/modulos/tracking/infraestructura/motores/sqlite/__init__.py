"""SQLite: un archivo con un solo escritor en toda la máquina."""
