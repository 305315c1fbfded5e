"""Las otras puertas de entrada: lo que llega de muchos en muchos, o con la forma de otros."""
