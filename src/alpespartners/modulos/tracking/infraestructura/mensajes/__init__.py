"""Los mensajes: de la aplicación a propiedades CloudEvents y carga Avro, y de vuelta. Funciones puras."""
