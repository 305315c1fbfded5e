"""El libro: tablas, filas, corriente, destinos, enviados, balance y bandeja; lo que comparten los motores."""
