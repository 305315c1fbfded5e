// Abre Swagger UI sobre la descripción de este mismo servicio.

// Swagger UI muestra el JSON tras convertirlo, y un número de JavaScript no sabe escribir 99999999999999.99 ni
// 150000.00. Aquí cada número conserva el texto con que llegó; un navegador que no sabe hacerlo muestra la
// respuesta entera tal como llegó, sin sangrar.
const conNumerosIntactos = (json) =>
  JSON.rawJSON === undefined
    ? json
    : JSON.stringify(
        JSON.parse(json, (_, valor, { source }) => (typeof valor === "number" ? JSON.rawJSON(source) : valor)),
        null,
        "  ",
      );

const respuestasIntactas = {
  wrapComponents: {
    responseBody: (Original, { React }) => (propiedades) => {
      const { content, contentType, getComponent } = propiedades;
      if (!/json/i.test(contentType)) return React.createElement(Original, propiedades);
      return React.createElement(
        "div",
        null,
        React.createElement("h5", null, "Response body"),
        React.createElement(
          getComponent("HighlightCode", true),
          { language: "json", downloadable: true, canCopy: true, fileName: "respuesta.json" },
          conNumerosIntactos(content),
        ),
      );
    },
  },
};

// Swagger UI solo sustituye las variables de plantillas ASCII: «campañas» va aquí como en la red.
fetch("/openapi.json")
  .then((respuesta) => respuesta.json())
  .then((descripcion) => {
    descripcion.paths = Object.fromEntries(
      Object.entries(descripcion.paths).map(([ruta, metodos]) => [
        ruta.replace("/campañas/", "/campa%C3%B1as/"),
        metodos,
      ]),
    );
    SwaggerUIBundle({
      spec: descripcion,
      dom_id: "#documentacion",
      validatorUrl: null,
      plugins: [respuestasIntactas],
    });
  });
