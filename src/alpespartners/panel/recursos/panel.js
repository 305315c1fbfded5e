// Lo que el panel hace en el navegador. Sin él, toda vista se lee y se usa igual.
"use strict";

for (const [clase, oculto] of [["con-guiones", false], ["sin-guiones", true]])
  for (const elemento of document.getElementsByClassName(clase)) elemento.hidden = oculto;

// Sesión: lo que htmx pidió y falló se dice en el aviso, hasta que algo vuelve a ir bien.
addEventListener("htmx:sendError", (suceso) => {
  // La vista del sistema lo dice ella, con lo que significa ahí.
  if (suceso.target.id === "sistema") return;
  const aviso = document.getElementById("aviso");
  aviso.textContent = aviso.dataset.sinRespuesta;
});
addEventListener("htmx:afterRequest", (suceso) => {
  if (suceso.detail.successful) document.getElementById("aviso").replaceChildren();
});

// El nombre de un país lo sabe el navegador, en el idioma de la página.
for (const { dataset, firstChild } of document.querySelectorAll("[data-pais]"))
  firstChild.data = new Intl.DisplayNames(document.documentElement.lang, { type: "region" }).of(dataset.pais);

// Gráficos: cada tabla con `data-grafico` se dibuja encima de ella; los números son los de la tabla.
//
// <table data-grafico="lineas|barras" data-aviso="…">; en cada fila, data-x (segundos Unix) y, si el texto de
// su cabecera es largo para un eje, data-rotulo; en cada celda que se dibuja, data-y (sin valor, un hueco). En
// una fila data-sin-acabar, a la línea se llega a trazos cortos: a medias parece una caída; en una
// data-sin-empezar no hay línea. La serie se llama como su columna; en el th de esta, data-discontinua, que es lo
// de antes y ya acabó, la dibuja a trazos, y data-juntas da el nombre del gráfico en que va con otras (sin él, van
// todas juntas). Los rótulos y los valores que se leen al señalar son los textos de la tabla: están ya en la zona
// y en el idioma de la página.
{
  const ALTO = 220;
  const ANCHO_IMPRESO = 340;
  const ALTO_IMPRESO = 150;
  // En papel el lienzo es mayor y panel.css lo reduce a su columna: así no se ve borroso.
  const PUNTOS_POR_PUNTO_IMPRESO = 3;
  const LETRA = 12;
  const DEL_EJE = 5;
  const BAJO_EL_EJE = 28;
  const ENTRE_ROTULOS = 80;
  const ENTRE_NUMEROS = 56;
  const ENTRE_RAYAS = 30;
  const COLORES = 4;
  const GRUESO = 2;
  const TRAZOS = { antes: [6, 4], sinAcabar: [2, 3] };
  const ENTEROS = [...Array(16).keys()].flatMap((cifras) => [1, 2, 5].map((primera) => primera * 10 ** cifras));
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

  const sinAcabar = (fila) => "sinAcabar" in fila.dataset || "sinEmpezar" in fila.dataset;
  const deAntes = (cabecera) => "discontinua" in cabecera.dataset;
  const valorDe = (celda, cabecera, fila) =>
    celda?.dataset.y && (deAntes(cabecera) || !("sinEmpezar" in fila.dataset)) ? Number(celda.dataset.y) : null;

  const opciones = (tabla, filas, series, [ancho, alto], escala) => {
    const estilo = getComputedStyle(document.documentElement);
    const color = (nombre) => estilo.getPropertyValue(nombre).trim();
    const corto = new Intl.NumberFormat(document.documentElement.lang, { notation: "compact" });
    const eje = {
      font: `${LETRA * escala}px system-ui, sans-serif`,
      stroke: color("--grafico-texto"),
      grid: { stroke: color("--grafico-raya"), width: escala },
      ticks: { show: false },
      gap: DEL_EJE * escala,
    };
    // Media impresión no existe.
    const deEnteros = series.every(({ celdas }) => celdas.every((celda) => Number.isInteger(Number(celda?.dataset.y))));
    const enBarras = tabla.dataset.grafico === "barras";
    // Media barra a cada lado, para que la primera y la última quepan.
    const conSitio = (_, primero, ultimo) => {
      const media = (ultimo - primero) / Math.max(filas.length - 1, 1) / 2 || 1;
      return [primero - media, ultimo + media];
    };
    const texto = (celda) => celda?.textContent.trim() ?? "";
    const acabadas = filas.filter((fila) => !sinAcabar(fila)).length;
    const hastaLoAcabado = (grafico, serie, primera, ultima) =>
      acabadas === 0 ? null : uPlot.paths.linear()(grafico, serie, primera, Math.min(ultima, acabadas - 1));
    const aTrazos = (grafico) => {
      const lienzo = grafico.ctx;
      for (const [orden, { cabecera }] of series.entries()) {
        if (enBarras || deAntes(cabecera)) continue;
        lienzo.save();
        lienzo.strokeStyle = color(`--grafico-${(orden % COLORES) + 1}`);
        lienzo.lineWidth = GRUESO * escala * devicePixelRatio;
        lienzo.setLineDash(TRAZOS.sinAcabar.map((puntos) => puntos * escala * devicePixelRatio));
        lienzo.beginPath();
        for (let lugar = Math.max(acabadas - 1, 0); lugar < filas.length; lugar += 1) {
          const valor = grafico.data[orden + 1][lugar];
          if (valor !== null)
            lienzo.lineTo(
              grafico.valToPos(grafico.data[0][lugar], "x", true),
              grafico.valToPos(valor, "y", true),
            );
        }
        lienzo.stroke();
        lienzo.restore();
      }
    };
    return {
      width: ancho,
      height: alto,
      cursor: { drag: { x: false, y: false } },
      scales: { x: { time: false, ...(enBarras && { range: conSitio }) }, y: { range: (_, menor, mayor) => [Math.min(0, menor), mayor > 0 ? mayor * 1.05 : 1] } },
      axes: [
        {
          ...eje,
          size: BAJO_EL_EJE * escala,
          grid: { show: false },
          splits: (grafico) => {
            const caben = Math.max(1, Math.floor(grafico.bbox.width / devicePixelRatio / escala / ENTRE_ROTULOS));
            const cada = Math.ceil(filas.length / caben);
            return filas.filter((_, lugar) => lugar % cada === 0).map((fila) => Number(fila.dataset.x));
          },
          values: (_, instantes) =>
            instantes.map((instante) => {
              const fila = filas.find((una) => Number(una.dataset.x) === instante);
              return fila.dataset.rotulo ?? texto(fila.cells[0]);
            }),
        },
        { ...eje, size: ENTRE_NUMEROS * escala, space: ENTRE_RAYAS * escala, ...(deEnteros && { incrs: ENTEROS }), values: (_, numeros) => numeros.map((numero) => corto.format(numero)) },
      ],
      series: [
        { label: texto(tabla.tHead.rows[0].cells[0]), value: (_grafico, _valor, _serie, lugar) => texto(filas[lugar]?.cells[0]) },
        ...series.map(({ cabecera, celdas }, orden) => ({
          label: texto(cabecera),
          stroke: color(`--grafico-${(orden % COLORES) + 1}`),
          width: GRUESO * escala,
          dash: deAntes(cabecera) ? TRAZOS.antes.map((puntos) => puntos * escala) : undefined,
          points: { show: filas.length === 1 || acabadas === 0 || undefined },
          paths: enBarras
            ? uPlot.paths.bars({ size: [0.7, 40] })
            : deAntes(cabecera) ? undefined : hastaLoAcabado,
          fill: enBarras ? color(`--grafico-${(orden % COLORES) + 1}`) : undefined,
          value: (_grafico, _valor, _serie, lugar) => texto(celdas[lugar]),
        })),
      ],
      legend: { markers: { width: 2 } },
      hooks: { draw: [aTrazos] },
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
      const valores = series.map(({ cabecera, celdas }) =>
        celdas.map((celda, lugar) => valorDe(celda, cabecera, filas[lugar])),
      );
      const escala = impreso ? PUNTOS_POR_PUNTO_IMPRESO : 1;
      const medidas = impreso
        ? [ANCHO_IMPRESO, ALTO_IMPRESO].map((medida) => medida * escala)
        : [lienzo.clientWidth, ALTO];
      hechos.push(new uPlot(opciones(tabla, filas, series, medidas, escala), [instantes, ...valores], lienzo));
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
  // Hay navegadores que la llaman como antes: Asia/Calcutta.
  const esPropia = (una) => una.value === propia || una.dataset.otros?.split(" ").includes(propia);
  const opcion = [...lista.options].find(esPropia);
  if (opcion) {
    const grupo = document.createElement("optgroup");
    grupo.label = lista.dataset.zonaPropia;
    grupo.append(opcion);
    lista.prepend(grupo);
  }
}

// Sistema: se pone al día solo mientras se ve, sin mover el foco ni deshacer lo que alguien seleccionó.
(() => {
  const bloque = document.getElementById("sistema");
  if (!bloque) return;
  const cada = 5000;
  const sinNoticias = document.getElementById("sin-noticias");
  const novedad = document.getElementById("novedad");
  const juicio = () => document.getElementById("juicio").textContent;
  let dicho = juicio();

  const refrescar = () => {
    const seleccion = document.getSelection();
    const ocupado = !seleccion.isCollapsed && bloque.contains(seleccion.anchorNode);
    if (document.visibilityState === "visible" && !ocupado) htmx.trigger(bloque, "refrescar");
  };
  const callado = () => {
    // Si ya lo dice, no se repite a quien lo oye.
    if (!sinNoticias.hidden) return;
    sinNoticias.textContent = sinNoticias.dataset.frase;
    sinNoticias.hidden = false;
  };
  bloque.addEventListener("htmx:afterSwap", () => {
    sinNoticias.hidden = true;
    if (juicio() !== dicho) novedad.textContent = dicho = juicio();
  });
  for (const fallo of ["htmx:sendError", "htmx:responseError", "htmx:timeout"])
    bloque.addEventListener(fallo, callado);
  document.addEventListener("visibilitychange", refrescar);
  setInterval(refrescar, cada);
})();

// Explicar un evento: de lo que la página mira sola se anuncia lo nuevo, y no toda la historia otra vez.
(() => {
  const historia = document.getElementById("historia");
  if (!historia) return;
  const novedad = () => historia.querySelector("[data-novedad]")?.dataset.novedad ?? "";
  let dicha = novedad();
  historia.addEventListener("htmx:afterSwap", () => {
    if (novedad() !== dicha) document.getElementById("novedad").textContent = dicha = novedad();
  });
})();

// En vivo: los eventos de una campaña según llegan por la API. Son de otro: solo se escriben como texto.
(() => {
  const vista = document.getElementById("en-vivo");
  if (!vista) return;
  const frases = vista.dataset;
  const cuerpo = document.getElementById("llegados");
  const conexion = document.getElementById("conexion");
  const esperan = document.getElementById("esperan");
  const resumen = document.getElementById("resumen");
  const pausa = document.getElementById("pausa");
  const clase = vista.querySelector("select");
  const enPantalla = 200;
  const recordados = 2000;
  const entreResumenes = 30_000;
  const coma = document.documentElement.lang === "es" ? "," : ".";
  const vistos = new Set();
  let cola = [];
  let enCola = 0;
  let nuevos = 0;
  let pausado = false;
  let flujo = null;
  let ultimo = "";
  let sinMirar = false;
  let reintento = 0;

  const contados = (cual, n) => (n === 1 ? frases[`${cual}Uno`] : frases[`${cual}Varios`].replace("{n}", n));
  const decir = (frase) => {
    if (conexion.textContent !== frase) conexion.textContent = frase;
  };

  // Como en `formato.py`. Del texto y no del número, que en el navegador no tiene todas las cifras.
  const importe = (datos, moneda) => {
    const escrito = /"valor":\s*(-?)(\d+)(?:\.(\d+))?[,}]/.exec(datos);
    if (!escrito) return "";
    const [, signo, enteros, decimales = ""] = escrito;
    const agrupados = enteros.replace(/\B(?=(\d{3})+$)/g, "\u202f");
    return `${signo}${agrupados}${coma}${decimales.replace(/0+$/, "").padEnd(2, "0")}\u00a0${moneda}`;
  };
  const celda = (contenido, nombre = "td") => {
    const nueva = document.createElement(nombre);
    nueva.append(contenido);
    return nueva;
  };
  const enlace = (delante, id) => {
    const nuevo = document.createElement("a");
    nuevo.href = delante + encodeURIComponent(id);
    nuevo.textContent = id;
    return nuevo;
  };
  const cuando = (instante) => {
    const nuevo = document.createElement("time");
    nuevo.dateTime = instante;
    nuevo.textContent = instante.slice(11, 19);
    return nuevo;
  };
  const filaDeEvento = (nombre, datos) => {
    const evento = JSON.parse(datos);
    const clave = `${nombre} ${evento.id}`;
    if (vistos.has(clave)) return null;
    vistos.add(clave);
    if (vistos.size > recordados) vistos.delete(vistos.values().next().value);
    const fila = document.createElement("tr");
    fila.dataset.clase = nombre;
    const id = celda(enlace(frases.evento, evento.id), "th");
    id.scope = "row";
    const valor = celda(evento.moneda ? importe(datos, evento.moneda) : "");
    valor.className = "cifra";
    fila.append(
      celda(cuando(evento.recibido_en)),
      celda(evento.tipo_conversion || evento.tipo_evento || ""),
      id,
      celda(evento.influencer_id ? enlace(frases.influencer, evento.influencer_id) : ""),
      valor,
    );
    return fila;
  };
  const filaDeHueco = (saltados) => {
    const fila = document.createElement("tr");
    fila.dataset.clase = "hueco";
    const unica = celda(saltados === null ? frases.huecoSinSaber : contados("hueco", saltados));
    unica.colSpan = 5;
    fila.append(unica);
    return fila;
  };

  const pintar = () => {
    if (pausado) {
      esperan.textContent = enCola ? contados("esperan", enCola) : "";
      return;
    }
    cuerpo.prepend(...cola.reverse());
    cola = [];
    enCola = 0;
    esperan.textContent = "";
    while (cuerpo.rows.length > enPantalla) cuerpo.lastElementChild.remove();
  };
  let pintura = 0;
  const poner = (fila) => {
    if (!fila) return;
    cola.push(fila);
    if (cola.length > enPantalla) cola.shift();
    if (fila.dataset.clase !== "hueco") {
      enCola += 1;
      nuevos += 1;
    }
    if (!pintura)
      pintura = requestAnimationFrame(() => {
        pintura = 0;
        pintar();
      });
  };

  const abrir = () => {
    clearTimeout(reintento);
    flujo?.close();
    const direccion = ultimo ? `${frases.flujo}?ultimo_id=${encodeURIComponent(ultimo)}` : frases.flujo;
    flujo = new EventSource(direccion);
    flujo.onopen = () => decir(frases.conectado);
    flujo.onerror = () => {
      if (flujo.readyState === EventSource.CLOSED) preguntar(direccion);
      else decir(frases.sinServicio);
    };
    for (const nombre of ["impresion", "conversion"])
      flujo.addEventListener(nombre, (suceso) => {
        ultimo = suceso.lastEventId;
        poner(filaDeEvento(nombre, suceso.data));
      });
    flujo.addEventListener("hueco", (suceso) => {
      ultimo = suceso.lastEventId;
      poner(filaDeHueco(JSON.parse(suceso.data).saltados));
    });
    flujo.addEventListener("aviso", (suceso) =>
      decir(JSON.parse(suceso.data).con_broker ? frases.conectado : frases.sinBroker),
    );
  };
  // Un `EventSource` no dice por qué no lo dejan entrar: se pregunta lo mismo de otra manera.
  const preguntar = async (direccion) => {
    const corte = new AbortController();
    let segundos = 5;
    try {
      const respuesta = await fetch(direccion, { signal: corte.signal });
      if (respuesta.ok) segundos = 0;
      else {
        const no = await respuesta.json();
        const noCaben = no.type.endsWith("demasiados_espectadores");
        decir(noCaben ? frases.noCaben : frases.negado.replace("{estado}", `${no.status}: ${no.title}`));
        segundos = Number(respuesta.headers.get("Retry-After")) || segundos;
      }
    } catch {
      decir(frases.sinServicio);
    }
    corte.abort();
    if (document.visibilityState === "visible") reintento = setTimeout(abrir, segundos * 1000);
  };

  // Oculta no se mira: un navegador da seis conexiones a cada sitio, y lo que falte se lee al volver.
  document.addEventListener("visibilitychange", () => {
    clearTimeout(reintento);
    if (document.visibilityState === "visible") {
      if (sinMirar && !ultimo) poner(filaDeHueco(null));
      sinMirar = false;
      abrir();
    } else {
      flujo?.close();
      sinMirar = true;
      decir(frases.oculta);
    }
  });
  pausa.addEventListener("click", () => {
    pausado = !pausado;
    pausa.textContent = pausado ? frases.continuar : frases.pausar;
    pintar();
  });
  clase.addEventListener("change", () => {
    cuerpo.dataset.solo = clase.value;
    const consulta = clase.value ? `?clase=${clase.value}` : "";
    history.replaceState(history.state, "", location.pathname + consulta);
  });
  setInterval(() => {
    if (!pausado && nuevos) resumen.textContent = contados("nuevos", nuevos);
    nuevos = 0;
  }, entreResumenes);
  if (document.visibilityState === "visible") abrir();
  else sinMirar = true;
})();

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
