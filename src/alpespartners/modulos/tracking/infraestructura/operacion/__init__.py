"""La operación: conciliar, reconstruir y tratar las cartas muertas; nada de esto corre en el servicio."""
