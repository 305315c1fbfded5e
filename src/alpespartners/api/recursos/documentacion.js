// Abre Swagger UI sobre la descripción de este mismo servicio.
// Swagger UI solo sustituye las variables de plantillas ASCII: «campañas» va aquí como en la red.
fetch("openapi.json")
  .then((respuesta) => respuesta.json())
  .then((descripcion) => {
    descripcion.paths = Object.fromEntries(
      Object.entries(descripcion.paths).map(([ruta, metodos]) => [
        ruta.replace("/campañas/", "/campa%C3%B1as/"),
        metodos,
      ]),
    );
    SwaggerUIBundle({ spec: descripcion, dom_id: "#documentacion", validatorUrl: null });
  });
