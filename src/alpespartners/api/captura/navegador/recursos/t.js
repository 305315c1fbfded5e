// El guion de la página: recuerda de qué clic viene quien la visita y dice lo que ve y lo que compra.
// No necesita nada de nadie, no evalúa texto y no toca lo que no es suyo: si falta, la tienda sigue igual.
(() => {
  "use strict";
  const w = window, d = document, n = navigator;
  const guion = d.currentScript || d.querySelector('script[src$="/t.js"]');
  const antes = w.alpes;
  if (!guion || (antes && antes.conversion)) return;

  const dato = guion.dataset;
  const clave = dato.clave;
  const parametro = dato.parametro || "alp_clic";
  // Ningún navegador guarda una galleta más de 400 días.
  const segundos = 86400 * Math.min(400, Math.max(1, +dato.dias || 30));
  const destino = new URL("tracking/captura", guion.src).href;
  const mio = "alpes:" + (clave || "") + ":";
  const enEspera = 100, letras = 18000, caduca = 7 * 864e5;
  const pendientes = new Map();
  const consulta = new URLSearchParams(location.search);

  // Hasta que se diga, si la página pide consentimiento: ni sale ni se guarda nada.
  let puede = "consentimiento" in dato ? null : true;
  let privado = n.globalPrivacyControl;
  let clic, ocupado, espera, salido, fallos = 0, empezado, juntos = 20, turno = 0;

  // Con las galletas bloqueadas, solo nombrarlas es un error.
  const sin = (hacer) => { try { return hacer(); } catch (_) { return null; } };
  const guarda = () => puede && !privado;
  const poner = (k, v) => guarda() && sin(() => localStorage.setItem(k, v));
  const quitar = (k) => sin(() => localStorage.removeItem(k));
  const guardado = () => sin(() => Object.keys(localStorage).filter((k) => k.startsWith(mio))) || [];

  const galleta = (valor, dura) => sin(() => {
    d.cookie = parametro + "=" + valor + ";Max-Age=" + dura + ";Path=/;SameSite=Lax"
      + (location.protocol == "https:" ? ";Secure" : "") + (dato.dominio ? ";Domain=" + dato.dominio : "");
  });
  const deLaGalleta = () => sin(() =>
    d.cookie.split("; ").filter((c) => c.startsWith(parametro + "="))[0].slice(parametro.length + 1));
  const delAlmacen = () => sin(() => {
    const [valor, hasta] = localStorage.getItem(parametro).split(" ");
    return hasta > Date.now() ? valor : null;
  });
  const vale = (valor) => /^[\w-]{1,128}$/.test(valor || "") ? valor : null;

  const leerClic = () => {
    const llega = vale(consulta.get(parametro));
    clic = llega || clic;
    if (!guarda()) return;
    clic = clic || vale(deLaGalleta()) || vale(delAlmacen());
    // La que puso el servidor de la tienda dura más que la nuestra: si dice lo mismo, no se toca.
    if (llega && deLaGalleta() != llega) galleta(llega, segundos);
    if (llega) poner(parametro, llega + " " + (Date.now() + segundos * 1e3));
  };

  const nuevoId = () => w.crypto.randomUUID ? crypto.randomUUID()
    : Array.from(crypto.getRandomValues(new Uint8Array(16)), (o) => (o + 256).toString(16).slice(1)).join("");

  const olvidar = (k) => { pendientes.delete(k); quitar(k); };

  const evento = (clase, datos) => sin(() => {
    const e = Object.assign({ clave, clase, campaña_id: dato.campaña || dato.campana,
      influencer_id: dato.influencer, timestamp: new Date().toISOString() }, datos);
    e.id = String(e.id || nuevoId());
    if (!privado) e.clic_id = e.clic_id || clic;
    // De dónde se vino, sin la página: su dirección puede decir quién es quien mira.
    e.propiedades = Object.assign({ pagina: location.origin + location.pathname,
      procedencia: d.referrer.split("/", 3).join("/") || null }, e.propiedades);
    consulta.forEach((v, k) => {
      if (/^utm_[a-z]+$/.test(k)) e.propiedades[k.replace("_", ".")] = v.slice(0, 200);
    });
    const texto = JSON.stringify(e), k = mio + clase + ":" + e.id;
    if (puede === false || texto.length > letras) return null;
    // Con el servicio caído días, se pierde lo más antiguo antes que lo de hoy.
    if (pendientes.size >= enEspera) olvidar(pendientes.keys().next().value);
    pendientes.set(k, texto);
    poner(k, texto);
    // Un instante después: lo que la página dice seguido va junto.
    setTimeout(enviar);
    return e.id;
  });

  const enviar = (alSalir) => {
    if (!puede || !empezado || !pendientes.size) return;
    // Lo que ya va de camino llega aunque la página se cierre, donde el navegador lo promete.
    if (ocupado && !(alSalir === true && !("keepalive" in Request.prototype))) return;
    const lote = [], textos = [];
    let largo = 0;
    for (const [k, texto] of pendientes) {
      largo += texto.length;
      if (lote.length && (lote.length >= juntos || largo > letras)) break;
      lote.push(k);
      textos.push(texto);
    }
    const body = "[" + textos + "]";
    if (alSalir === true) {
      // No se sabe si llegó: sigue guardado, y repetirlo con su id no cuenta dos veces.
      if (body != salido) sin(() => n.sendBeacon(destino, salido = body));
      return;
    }
    clearTimeout(espera);
    // El servicio dijo cuándo volver (Retry-After): hasta entonces, tampoco lo nuevo.
    if (Date.now() < turno) {
      espera = setTimeout(enviar, turno - Date.now());
      return;
    }
    ocupado = 1;
    fetch(destino, { method: "POST", body, keepalive: true, credentials: "omit" })
      .then((r) => {
        turno = Date.now() + Math.min(36e5, r.headers.get("Retry-After") * 1e3 || 0);
        // Uno ilegible no se lleva a los demás: se repiten de uno en uno, y así se sabe cuál es.
        if (r.status == 400 || r.status == 413) lote.length > 1 ? (juntos = 1) : lote.forEach(olvidar);
        return r.ok ? r.json() : Promise.reject(r.status);
      })
      .then((dicho) => {
        fallos = 0;
        dicho.resultados.forEach((uno) => {
          if (uno.estado == "SIN_CONFIRMAR") fallos = 1;
          else olvidar(lote[uno.indice]);
          if (uno.errores) console.warn("alpes:", JSON.stringify(uno.errores));
        });
      })
      .catch(() => { fallos++; })
      .then(() => {
        ocupado = 0;
        if (fallos < 10) espera = setTimeout(enviar, fallos && Math.min(6e4, 500 * 2 ** fallos));
      });
  };

  // Se vio si la mitad de sus píxeles estuvo a la vista un segundo seguido o, de uno grande, el 30 % (MRC).
  const visible = (elemento) => sin(() => {
    let dentro, veia, reloj;
    const ojo = new IntersectionObserver((cambios) => {
      const c = cambios[cambios.length - 1], r = c.boundingClientRect, area = r.width * r.height;
      dentro = area > 0 && c.intersectionRatio >= (area >= 242000 ? 0.3 : 0.5);
      mirar();
    }, { threshold: [0.3, 0.5] });
    const mirar = () => {
      const ve = dentro && !d.hidden;
      if (ve == veia) return;
      veia = ve;
      clearTimeout(reloj);
      if (ve) reloj = setTimeout(() => {
        ojo.disconnect();
        d.removeEventListener("visibilitychange", mirar);
        const suyo = elemento.dataset;
        evento("impresion", Object.assign({ tipo_evento: "VISUALIZACION",
          propiedades: { elemento: suyo.alpesVisible || elemento.id } },
        suyo.influencer ? { influencer_id: suyo.influencer } : {}));
      }, 1e3);
    };
    d.addEventListener("visibilitychange", mirar);
    ojo.observe(elemento);
  });

  const alpes = w.alpes = {
    impresion: (datos) => evento("impresion", datos),
    conversion: (datos) => evento("conversion", datos),
    visible,
    // Lo que una persona dice aquí manda sobre la señal general de su navegador.
    consentir: (si) => {
      puede = !!si;
      privado = false;
      if (puede) {
        leerClic();
        pendientes.forEach((texto, k) => {
          const e = JSON.parse(texto);
          e.clic_id = e.clic_id || clic;
          texto = JSON.stringify(e);
          pendientes.set(k, texto);
          poner(k, texto);
        });
        enviar();
        return;
      }
      clic = null;
      pendientes.clear();
      guardado().forEach(quitar);
      quitar(parametro);
      galleta("", 0);
    },
    push: (...ordenes) => ordenes.forEach(([que, ...con]) => sin(() => alpes[que](...con))),
  };

  const empezar = () => {
    empezado = 1;
    if (guarda()) {
      const viejos = guardado().map((k) => [k, sin(() => localStorage.getItem(k)), 0]).filter((uno) => {
        uno[2] = sin(() => Date.parse(JSON.parse(uno[1]).timestamp));
        return uno[2] > Date.now() - caduca || quitar(uno[0]);
      });
      viejos.sort((a, b) => a[2] - b[2]).forEach(([k, texto]) => pendientes.has(k) || pendientes.set(k, texto));
    }
    if ("impresion" in dato) alpes.impresion();
    d.querySelectorAll("[data-alpes-visible]").forEach(visible);
    enviar();
  };

  leerClic();
  if (Array.isArray(antes)) alpes.push(...antes);
  const salir = () => enviar(true);
  w.addEventListener("pagehide", salir);
  w.addEventListener("online", enviar);
  w.addEventListener("pageshow", (e) => { if (e.persisted) { ocupado = 0; enviar(); } });
  d.addEventListener("visibilitychange", () => d.hidden && salir());
  // Una página que se prepara por si acaso no la ha visto nadie.
  if (d.prerendering) d.addEventListener("prerenderingchange", empezar, { once: true });
  else if (d.readyState == "loading") d.addEventListener("DOMContentLoaded", empezar);
  else empezar();
})();
