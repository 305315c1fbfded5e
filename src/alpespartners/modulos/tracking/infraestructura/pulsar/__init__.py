"""El cliente de Pulsar: conectar, publicar, leer lo guardado y revisar cómo está puesto el broker."""
