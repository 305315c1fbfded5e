// Lo que el panel hace en el navegador. Sin él, toda vista se lee y se usa igual.
"use strict";

// Copiar: el navegador solo deja a las páginas que llegan por una conexión segura o desde esta máquina.
if (navigator.clipboard) {
  document.documentElement.classList.add("con-portapapeles");
  document.addEventListener("click", async (suceso) => {
    const boton = suceso.target.closest("[data-copiar]");
    if (boton) {
      await navigator.clipboard.writeText(boton.previousElementSibling.textContent);
      boton.textContent = boton.dataset.copiado;
    }
  });
}
// Sesión: lo que htmx pidió y falló se dice en el aviso, hasta que algo vuelve a ir bien.
addEventListener("htmx:sendError", () => {
  const aviso = document.getElementById("aviso");
  aviso.textContent = aviso.dataset.sinRespuesta;
});
addEventListener("htmx:afterRequest", (suceso) => {
  if (suceso.detail.successful) document.getElementById("aviso").replaceChildren();
});
// Gráficos: cada tabla con `data-grafico` se dibuja encima de ella; los números son los de la tabla.
//
// <table data-grafico="lineas|barras" data-aviso="…">; en cada fila, data-x (segundos Unix) y, si el texto de
// su cabecera es largo para un eje, data-rotulo; en cada celda que se dibuja, data-y (sin valor, un hueco). La
// serie se llama como su columna; en el th de esta, data-discontinua la dibuja a trazos, y data-juntas da el
// nombre del gráfico en que va con otras (sin él, van todas juntas). Los rótulos y los valores que se leen al
// señalar son los textos de la tabla: están ya en la zona y en el idioma de la página.
{
  const ALTO = 220;
  const ANCHO_IMPRESO = 300;
  const ENTRE_ROTULOS = 80;
  const ENTRE_NUMEROS = 56;
  const COLORES = 4;
  const dibujados = new Map();

  const leer = (tabla) => {
    const filas = [...tabla.tBodies].flatMap((cuerpo) => [...cuerpo.rows]).filter((fila) => fila.dataset.x);
    const columnas = [...tabla.tHead.rows].at(-1).cells;
    const graficos = new Map();
    for (const [lugar, cabecera] of [...columnas].entries()) {
      const celdas = filas.map((fila) => fila.cells[lugar]);
      if (celdas.some((celda) => celda?.dataset.y !== undefined)) {
        const nombre = cabecera.dataset.juntas ?? tabla.caption?.textContent.trim() ?? "";
        const series = graficos.get(nombre) ?? [];
        graficos.set(nombre, [...series, { cabecera, celdas }]);
      }
    }
    return { filas, graficos };
  };

  const opciones = (tabla, filas, series, ancho) => {
    const estilo = getComputedStyle(document.documentElement);
    const color = (nombre) => estilo.getPropertyValue(nombre).trim();
    const corto = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" });
    const eje = { stroke: color("--grafico-texto"), grid: { stroke: color("--grafico-raya"), width: 1 }, ticks: { show: false } };
    const enBarras = tabla.dataset.grafico === "barras";
    // Media barra a cada lado, para que la primera y la última quepan.
    const conSitio = (_, primero, ultimo) => {
      const media = (ultimo - primero) / Math.max(filas.length - 1, 1) / 2 || 1;
      return [primero - media, ultimo + media];
    };
    const texto = (celda) => celda?.textContent.trim() ?? "";
    return {
      width: ancho,
      height: ALTO,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false, ...(enBarras && { range: conSitio }) }, y: { range: (_, menor, mayor) => [Math.min(0, menor), mayor > 0 ? mayor * 1.05 : 1] } },
      axes: [
        {
          ...eje,
          grid: { show: false },
          splits: (grafico) => {
            const caben = Math.max(1, Math.floor(grafico.bbox.width / devicePixelRatio / ENTRE_ROTULOS));
            const cada = Math.ceil(filas.length / caben);
            return filas.filter((_, lugar) => lugar % cada === 0).map((fila) => Number(fila.dataset.x));
          },
          values: (_, instantes) =>
            instantes.map((instante) => {
              const fila = filas.find((una) => Number(una.dataset.x) === instante);
              return fila.dataset.rotulo ?? texto(fila.cells[0]);
            }),
        },
        { ...eje, size: ENTRE_NUMEROS, values: (_, numeros) => numeros.map((numero) => corto.format(numero)) },
      ],
      series: [
        { value: (_grafico, _valor, _serie, lugar) => texto(filas[lugar]?.cells[0]) },
        ...series.map(({ cabecera, celdas }, orden) => ({
          label: texto(cabecera),
          stroke: color(`--grafico-${(orden % COLORES) + 1}`),
          width: 2,
          dash: "discontinua" in cabecera.dataset ? [6, 4] : undefined,
          points: { show: filas.length === 1 || undefined },
          paths: enBarras ? uPlot.paths.bars({ size: [0.7, 40] }) : undefined,
          fill: enBarras ? color(`--grafico-${(orden % COLORES) + 1}`) : undefined,
          value: (_grafico, _valor, _serie, lugar) => texto(celdas[lugar]),
        })),
      ],
      legend: { markers: { width: 2 } },
    };
  };

  const borrar = (tabla) => {
    const dibujado = dibujados.get(tabla);
    dibujados.delete(tabla);
    dibujado?.vigia.disconnect();
    for (const grafico of dibujado?.graficos ?? []) grafico.destroy();
    dibujado?.lugar.remove();
  };

  const dibujar = (tabla, impreso) => {
    borrar(tabla);
    const { filas, graficos } = leer(tabla);
    if (filas.length === 0) return;
    const lugar = document.createElement("div");
    lugar.className = "graficos";
    (tabla.closest("details") ?? tabla.closest(".tabla") ?? tabla).before(lugar);
    const hechos = [];
    for (const [nombre, series] of graficos) {
      const figura = document.createElement("figure");
      figura.className = "grafico";
      const titulo = document.createElement("figcaption");
      titulo.textContent = nombre;
      const lienzo = document.createElement("div");
      lienzo.setAttribute("role", "img");
      const nombres = series.map(({ cabecera }) => cabecera.textContent.trim()).join(", ");
      lienzo.setAttribute("aria-label", [nombre, nombres, tabla.dataset.aviso].filter(Boolean).join(". "));
      figura.append(titulo, lienzo);
      lugar.append(figura);
      const instantes = filas.map((fila) => Number(fila.dataset.x));
      const valores = series.map(({ celdas }) =>
        celdas.map((celda) => (celda?.dataset.y ? Number(celda.dataset.y) : null)),
      );
      const ancho = impreso ? ANCHO_IMPRESO : lienzo.clientWidth;
      hechos.push(new uPlot(opciones(tabla, filas, series, ancho), [instantes, ...valores], lienzo));
    }
    const vigia = new ResizeObserver(() => {
      for (const grafico of impreso ? [] : hechos) {
        const ancho = grafico.root.parentElement.clientWidth;
        if (ancho > 0 && ancho !== grafico.width) grafico.setSize({ width: ancho, height: ALTO });
      }
    });
    vigia.observe(lugar);
    dibujados.set(tabla, { lugar, graficos: hechos, vigia });
  };

  const dibujarTodo = (impreso = false) => {
    for (const tabla of dibujados.keys()) if (!tabla.isConnected) borrar(tabla);
    for (const tabla of document.querySelectorAll("table[data-grafico]")) dibujar(tabla, impreso);
  };

  document.addEventListener("DOMContentLoaded", () => dibujarTodo());
  document.addEventListener("htmx:afterSettle", () => {
    for (const tabla of dibujados.keys()) if (!tabla.isConnected) borrar(tabla);
    for (const tabla of document.querySelectorAll("table[data-grafico]")) {
      if (!dibujados.has(tabla)) dibujar(tabla);
    }
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => dibujarTodo());
  matchMedia("print").addEventListener("change", (cambio) => dibujarTodo(cambio.matches));
}

// La zona de quien mira, la primera de las que se pueden elegir.
for (const lista of document.querySelectorAll("select[data-zona-propia]")) {
  const propia = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const opcion = [...lista.options].find((una) => una.value === propia);
  if (opcion) {
    const grupo = document.createElement("optgroup");
    grupo.label = lista.dataset.zonaPropia;
    grupo.append(opcion);
    lista.prepend(grupo);
  }
}
