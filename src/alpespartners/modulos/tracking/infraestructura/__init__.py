"""Los adaptadores del módulo: SQL, Pulsar y Avro, cada uno detrás de un puerto de la aplicación."""
