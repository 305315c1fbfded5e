"""Las rutas de `/tracking/…`: enviar eventos y preguntar por ellos."""
