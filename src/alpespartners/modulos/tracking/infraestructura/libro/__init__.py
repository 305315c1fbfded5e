"""El libro: tablas, filas, destinos, balance y bandeja de salida; lo que comparten los dos motores."""
