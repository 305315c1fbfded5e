"""Tablas, filas, corriente, destinos, enviados, balance, carriles y bandeja; lo que comparten los motores."""
