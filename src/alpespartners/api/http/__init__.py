"""Lo común a todas las rutas: encontrarlas, leer lo que llega, decir quién entra y contar lo que falla."""
