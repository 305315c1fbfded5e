/** El cliente frente a una API de mentira: qué repite, qué no, qué avisa y qué deja al cerrar. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { ColaEnArchivo, ColaOcupada } from "../archivo.js";
import { Cliente, ColaLlena, EventoNoValido } from "../cliente.js";
import { contestacion, esperaTras } from "../envio.js";
import { apiFalsa } from "./api_falsa.js";

const CLAVE = "clave-secreta-123";
const NO_HAY = "http://127.0.0.1:9";

/** Una API y un cliente suyo, que se cierran al acabar la prueba, y lo que este avisó. */
async function preparar(t, { guion = [], ...opciones } = {}) {
  const api = await apiFalsa(...guion);
  const avisos = [];
  const avisar = (...partes) => avisos.push(partes.map((parte) => inspect(parte)).join(" "));
  const registro = { error: avisar, warn: avisar };
  const cliente = new Cliente({ direccion: api.direccion, registro, cada: 20, ...opciones });
  t.after(async () => {
    await cliente.cerrar(0);
    api.cerrar();
  });
  return { api, avisos, cliente };
}

function carpeta(t) {
  const ruta = fs.mkdtempSync(path.join(os.tmpdir(), "cola-"));
  t.after(() => fs.rmSync(ruta, { recursive: true }));
  return ruta;
}

const impresion = (id) => ({ id, campaña_id: "c" });
const estado = async ({ veredicto }) => (await veredicto).estado;

test("lo que llega junto sale junto, comprimido y con la clave", async (t) => {
  const { api, cliente } = await preparar(t, { clave: CLAVE });
  const envios = Array.from({ length: 50 }, (_, n) => cliente.impresion(impresion(`i-${n}`)));
  assert.deepEqual(new Set(await Promise.all(envios.map(estado))), new Set(["ACEPTADA"]));
  assert.deepEqual(api.lotes.map((lote) => lote.length), [50]);
  assert.equal(api.cabeceras[0].authorization, `Bearer ${CLAVE}`);
  assert.equal(api.cabeceras[0]["content-encoding"], "gzip");
  assert.equal(api.cabeceras[0]["content-type"], "application/x-ndjson");
});

test("más de mil van en varios lotes", async (t) => {
  const { api, cliente } = await preparar(t);
  for (let n = 0; n < 2001; n++) cliente.impresion(impresion(`i-${n}`));
  assert.deepEqual(await cliente.cerrar(), { pendientes: 0, motivo: "" });
  assert.deepEqual(api.lotes.map((lote) => lote.length), [1000, 1000, 1]);
});

test("lo que comprimido no pasaría va sin comprimir y no pasa de cinco megas", async (t) => {
  const { api, cliente } = await preparar(t);
  const propiedades = { a: "x".repeat(60_000) };
  for (let n = 0; n < 100; n++) cliente.impresion({ ...impresion(`i-${n}`), propiedades });
  await cliente.cerrar();
  assert.equal(api.cabeceras[0]["content-encoding"], undefined);
  assert.equal(api.lotes.length, 2);
  assert.ok(api.cabeceras.every((cabeceras) => Number(cabeceras["content-length"]) <= 5 * 1024 * 1024));
});

test("a un evento sin id ni hora se le ponen, y el id es un UUIDv7 de ahora", async (t) => {
  const { api, cliente } = await preparar(t);
  const antes = Date.now();
  const envio = cliente.impresion({ campaña_id: "c" });
  await envio.veredicto;
  const [{ id, timestamp }] = api.lotes[0];
  assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  assert.equal(id, envio.id);
  const cuando = parseInt(id.replace("-", "").slice(0, 12), 16);
  assert.ok(cuando >= antes && cuando <= Date.now());
  assert.ok(Date.parse(timestamp) >= antes);
});

test("un importe que no es exacto se niega y se dice qué enviar", async (t) => {
  const { api, cliente } = await preparar(t);
  const venta = { id: "v", campaña_id: "c", tipo_conversion: "VENTA", moneda: "COP" };
  for (const valor of [19.9, NaN, 2 ** 53, 10n, true, {}]) {
    assert.throws(() => cliente.conversion({ ...venta, valor }), { message: /^valor: .*"19\.90"/ });
  }
  cliente.conversion({ ...venta, valor: "150000.00" });
  cliente.conversion({ ...venta, valor: 150000 });
  await cliente.cerrar();
  assert.deepEqual(api.lotes[0].map((evento) => evento.valor), ["150000.00", 150000]);
});

test("lo que no se puede enviar se niega al encolar", async (t) => {
  const { cliente } = await preparar(t);
  const propio = {};
  propio.propio = propio;
  const malos = [{ id: "" }, { id: 7 }, { propiedades: propio }, { propiedades: { a: "ñ".repeat(33_000) } }];
  for (const malo of malos) {
    assert.throws(() => cliente.impresion({ campaña_id: "c", ...malo }), EventoNoValido);
  }
  assert.equal(cliente.pendientes, 0);
});

test("solo se repite lo que quedó sin confirmar, y lo rechazado se entrega con sus faltas", async (t) => {
  const rechazados = [];
  const { api, cliente } = await preparar(t, {
    guion: [
      { estados: ["ACEPTADA", "SIN_CONFIRMAR", "RECHAZADA"] },
      { codigo: 503, estados: ["SIN_CONFIRMAR"] },
    ],
    alRechazar: (evento, [falta]) => rechazados.push([evento.id, falta.codigo]),
  });
  const envios = ["a", "b", "c"].map((id) => cliente.impresion(impresion(id)));
  assert.deepEqual(await Promise.all(envios.map(estado)), ["ACEPTADA", "ACEPTADA", "RECHAZADA"]);
  assert.deepEqual(api.ids(), ["a", "b", "c", "b", "b"]);
  assert.deepEqual(rechazados, [["c", "requerido"]]);
});

for (const codigo of [408, 429, 500, 502, 503, 504]) {
  test(`un ${codigo} se repite con los mismos eventos`, async (t) => {
    const { api, cliente } = await preparar(t, { guion: [{ codigo, cuerpo: "{}" }] });
    assert.equal(await estado(cliente.impresion(impresion("a"))), "ACEPTADA");
    assert.deepEqual(api.lotes[0], api.lotes[1]);
  });
}

test("a quien no da abasto le llega la mitad, y después otra vez más", async (t) => {
  const guion = [{ codigo: 408, cuerpo: "" }, { codigo: 503, cuerpo: "" }];
  const { api, cliente } = await preparar(t, { guion, cada: 60_000 });
  for (let n = 0; n < 8; n++) cliente.impresion(impresion(`i-${n}`));
  await cliente.cerrar();
  assert.deepEqual(api.lotes.map((lote) => lote.length), [8, 4, 2, 4, 2]);
});

test("si se pide esperar no se repite antes ni al cerrar, y se dice qué se pierde", async (t) => {
  const { api, avisos, cliente } = await preparar(t, {
    guion: [{ codigo: 429, cabeceras: { "Retry-After": "60" }, cuerpo: "" }],
  });
  const envio = cliente.impresion(impresion("a"));
  while (!avisos.length) await new Promise(setImmediate);
  const { pendientes, motivo } = await cliente.cerrar(200);
  assert.equal(pendientes, 1);
  assert.match(motivo, /429.*se pierden/);
  assert.deepEqual(await envio.veredicto, { estado: "SIN_ENVIAR", motivo });
  assert.deepEqual(api.ids(), ["a"]);
});

test("un lote que no cabe se parte, y el evento que no cabe solo se rechaza", async (t) => {
  const no = { codigo: 413, cuerpo: '{"type": "urn:alpespartners:error:cuerpo_demasiado_grande"}' };
  const { api, cliente } = await preparar(t, { guion: [no, no] });
  const envios = ["a", "b", "c"].map((id) => cliente.impresion(impresion(id)));
  assert.deepEqual(await Promise.all(envios.map(estado)), ["RECHAZADA", "ACEPTADA", "ACEPTADA"]);
  assert.deepEqual(api.lotes.slice(0, 2).map((lote) => lote.length), [3, 1]);
});

test("el 413 de un intermediario no rechaza nada: la cola se conserva", async (t) => {
  const rechazados = [];
  const no = { codigo: 413, cuerpo: "<html>nginx</html>" };
  const { api, avisos, cliente } = await preparar(t, {
    guion: Array(9).fill(no),
    alRechazar: (evento) => rechazados.push(evento.id),
  });
  for (const id of ["a", "b", "c"]) cliente.impresion(impresion(id));
  while (!avisos.length) await new Promise(setImmediate);
  assert.match(avisos[0], /413 .*nginx.*debe arreglarlo alguien/);
  assert.deepEqual(api.lotes.map((lote) => lote.length), [3, 1]);
  assert.equal((await cliente.cerrar(0)).pendientes, 3);
  assert.deepEqual(rechazados, []);
});

test("una clave mala se dice una vez sin enseñarla y conserva la cola", async (t) => {
  const no = { codigo: 401, cuerpo: '{"title": "Clave requerida"}' };
  const { avisos, cliente } = await preparar(t, { guion: [no, no], clave: CLAVE });
  cliente.impresion(impresion("a"));
  while (!avisos.length) await new Promise(setImmediate);
  const { pendientes, motivo } = await cliente.cerrar(30_000);
  assert.equal(pendientes, 1);
  assert.match(motivo, /Clave requerida/);
  assert.equal(avisos.filter((aviso) => aviso.includes("debe arreglarlo alguien")).length, 1);
  assert.ok(![...avisos, inspect(cliente, { showHidden: true }), JSON.stringify(cliente)].join().includes(CLAVE));
});

test("una clave o una dirección que no sirven se niegan sin repetir la clave", () => {
  for (const clave of ["con blanco", "con\nsalto", "ñ"]) {
    assert.throws(() => new Cliente({ direccion: NO_HAY, clave }), (e) => !e.message.includes(clave));
  }
  for (const direccion of ["ftp://a", "localhost:8000", "http://u:p@a"]) {
    assert.throws(() => new Cliente({ direccion }), /^TypeError: direccion: /);
  }
});

test("con la cola llena encolar lanza ColaLlena", async (t) => {
  const { cliente } = await preparar(t, { maximoEnCola: 1 });
  cliente.impresion(impresion("a"));
  assert.throws(() => cliente.impresion(impresion("b")), ColaLlena);
  assert.equal(cliente.pendientes, 1);
});

test("un alRechazar que falla no para a los demás", async (t) => {
  const { avisos, cliente } = await preparar(t, {
    guion: [{ estados: ["RECHAZADA"] }],
    alRechazar: () => Promise.reject(new Error("vaya")),
  });
  assert.equal(await estado(cliente.impresion(impresion("a"))), "RECHAZADA");
  assert.equal(await estado(cliente.impresion(impresion("b"))), "ACEPTADA");
  assert.ok(avisos.some((aviso) => aviso.includes("alRechazar falló con el evento a")));
});

test("un alRechazar que no acaba no para a los demás", async (t) => {
  const { api, cliente } = await preparar(t, {
    guion: [{ estados: ["RECHAZADA"] }],
    alRechazar: () => new Promise(() => {}),
  });
  assert.equal(await estado(cliente.impresion(impresion("a"))), "RECHAZADA");
  assert.equal(await estado(cliente.impresion(impresion("b"))), "ACEPTADA");
  assert.deepEqual(api.ids(), ["a", "b"]);
});

const SIN_CONFIRMAR = (lote) => ({
  estados: lote.map(({ id }) => (id === "malo" ? "SIN_CONFIRMAR" : "ACEPTADA")),
});
const CAE = (codigo) => (lote) => (lote.some(({ id }) => id === "malo") ? { codigo, cuerpo: "nginx" } : {});
for (const [nombre, responder] of [["SIN_CONFIRMAR", SIN_CONFIRMAR], ["413", CAE(413)], ["500", CAE(500)]]) {
  test(`un evento que siempre acaba en ${nombre} no para a los que van detrás`, async (t) => {
    const { api, cliente } = await preparar(t, { cada: 0 });
    t.mock.method(Math, "random", () => -0.99); // las esperas, casi ninguna
    api.responder = responder;
    cliente.impresion(impresion("malo"));
    for (let vuelta = 0; vuelta < 20; vuelta++) {
      const demas = Array.from({ length: 20 }, (_, n) => cliente.impresion(impresion(`${vuelta}-${n}`)));
      assert.deepEqual(new Set(await Promise.all(demas.map(estado))), new Set(["ACEPTADA"]));
    }
    while (api.ids().filter((id) => id === "malo").length < 4) await new Promise(setImmediate);
    assert.equal((await cliente.cerrar(0)).pendientes, 1);
  });
}

test("al cerrar se intenta una vez más lo que no tenía remedio", async (t) => {
  const { avisos, cliente } = await preparar(t, { guion: [{ codigo: 401, cuerpo: "" }] });
  cliente.impresion(impresion("a"));
  while (!avisos.length) await new Promise(setImmediate);
  assert.deepEqual(await cliente.cerrar(30_000), { pendientes: 0, motivo: "" });
});

test("lo que no trae un resultado por evento no dice nada de ninguno", () => {
  const malas = ['{"resultados": [{"estado": "ACEPTADA"}]}', "<html>", '{"resultados": [1, 2]}', "null"];
  for (const mala of [...malas, '{"resultados": [{"estado": "RECHAZADA"}, {"estado": "ACEPTADA"}]}']) {
    assert.deepEqual(contestacion(200, null, mala, 2).resultados, []);
  }
  assert.ok(contestacion(404, null, "", 1).sinRemedio);
  assert.ok(!contestacion(500, null, "", 1).sinRemedio);
  assert.equal(contestacion(503, "7", "", 1).espera, 7000);
  assert.equal(contestacion(503, "mañana", "", 1).espera, 0);
  assert.equal(contestacion(503, "Wed, 21 Oct 2099 07:28:00 GMT", "", 1).espera, 3_600_000);
  assert.equal(contestacion(503, "Wed, 21 Oct 2015 07:28:00 GMT", "", 1).espera, 0);
});

test("se espera el doble cada vez, con azar, hasta un tope y nunca menos de lo pedido", () => {
  const esperas = [1, 2, 3, 4, 5, 6, 7, 8].map((fallos) => esperaTras(fallos, 0, () => 1));
  assert.deepEqual(esperas, [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  assert.equal(esperaTras(3, 0, () => 0), 1000);
  assert.equal(esperaTras(1, 120_000), 120_000);
});

/** Ejecuta un programa que importa el cliente; devuelve el proceso, que escribe en su salida. */
function programa(codigo, ...argumentos) {
  const importa = `
    import { Cliente } from ${JSON.stringify(new URL("../cliente.js", import.meta.url))};
    import { ColaEnArchivo } from ${JSON.stringify(new URL("../archivo.js", import.meta.url))};
    const [direccion, ruta] = process.argv.slice(1);
    ${codigo}`;
  return spawn(process.execPath, ["--input-type=module", "-e", importa, ...argumentos], {
    stdio: ["pipe", "pipe", "inherit"],
  });
}

test("un programa que acaba sin cerrar envía lo que queda, y si sigue tras saberlo, también", async (t) => {
  const { api } = await preparar(t);
  const hijo = programa(
    `const c = new Cliente({ direccion, cada: 60_000 });
     await c.impresion({ id: "a", campaña_id: "c" }).veredicto;
     c.impresion({ id: "b", campaña_id: "c" });`,
    api.direccion,
  );
  assert.deepEqual(await once(hijo, "exit"), [0, null]);
  assert.deepEqual(api.ids(), ["a", "b"]);
});

test("lo encolado en archivo sobrevive a la muerte y lo envía el siguiente", async (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const hijo = programa(
    `const c = new Cliente({ direccion, cola: new ColaEnArchivo(ruta), registro: { error() {}, warn() {} } });
     for (let n = 0; ; n++) {
       c.impresion({ id: String(n), campaña_id: "c" });
       await new Promise((listo) => process.stdout.write(n + "\\n", listo));
     }`,
    NO_HAY,
    ruta,
  );
  let dicho = "";
  for await (const trozo of hijo.stdout) {
    dicho += trozo;
    if (dicho.split("\n").length < 200 || hijo.killed) continue;
    assert.throws(() => new ColaEnArchivo(ruta), ColaOcupada);
    hijo.kill("SIGKILL");
  }
  if (hijo.signalCode === null) await once(hijo, "exit");
  const encolados = dicho.trimEnd().split("\n");
  // Como si además el disco se hubiera quedado con media línea, de un evento que no llegó a encolarse.
  fs.appendFileSync(ruta, '+99999 {"id": "a medi');
  const { api, cliente } = await preparar(t, { cola: new ColaEnArchivo(ruta) });
  assert.deepEqual(await cliente.cerrar(), { pendientes: 0, motivo: "" });
  assert.deepEqual(api.ids().slice(0, encolados.length), encolados);
  assert.ok(api.ids().length <= encolados.length + 1);
  assert.equal(new ColaEnArchivo(ruta).cuantos, 0);
});

test("la cola en archivo recuerda lo resuelto, no repite números y se limpia sola", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const cola = new ColaEnArchivo(ruta);
  for (let n = 1; n <= 1_001; n++) assert.equal(cola.poner(`{"n":${n}}`), n);
  cola.quitar(Array.from({ length: 1_000 }, (_, n) => n + 1));
  assert.equal(fs.readFileSync(ruta, "utf8"), '+1001 {"n":1001}\n');
  cola.quitar([cola.poner("{}")]);
  cola.cerrar();
  const otra = new ColaEnArchivo(ruta);
  assert.deepEqual([...otra.primeros(9, 99)], [[1_001, '{"n":1001}']]);
  otra.cerrar();
});

test("lo que no cupo en el disco no se encola, y no estropea lo demás", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const cola = new ColaEnArchivo(ruta);
  cola.poner('{"n":1}');
  const escribir = fs.writeFileSync;
  const lleno = t.mock.method(fs, "writeFileSync", (archivo, linea) => {
    escribir(archivo, linea.slice(0, 6));
    throw new Error("ENOSPC");
  });
  assert.throws(() => cola.poner('{"n":2}'), /ENOSPC/);
  lleno.mock.restore();
  cola.poner('{"n":3}');
  cola.cerrar();
  const otra = new ColaEnArchivo(ruta);
  assert.deepEqual([...otra.primeros(9, 99).values()], ['{"n":1}', '{"n":3}']);
  assert.equal(fs.statSync(ruta).mode & 0o077, 0);
  otra.cerrar();
});

test("el cerrojo de un muerto se releva y el de otro proceso con su número, también", async (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const hijo = programa("new ColaEnArchivo(direccion);", ruta);
  await once(hijo, "exit");
  assert.ok(fs.existsSync(`${ruta}.cerrojo`));
  new ColaEnArchivo(ruta).cerrar();
  for (const final of [" ", " 1"]) {
    fs.writeFileSync(`${ruta}.cerrojo`, process.pid + final);
    new ColaEnArchivo(ruta).cerrar();
  }
  assert.deepEqual(fs.readdirSync(path.dirname(ruta)), ["cola.ndjson"]);
});

/** Otro proceso que se cree en otra máquina y tiene la cola abierta: hace eso cuando se le escribe, y lo cuenta. */
async function enOtraMaquina(t, ruta, preparacion, accion) {
  const hijo = programa(
    `import os from "node:os";
     import fs from "node:fs";
     os.hostname = () => "otra";
     const pararse = () => process.kill(process.pid, "SIGSTOP");
     ${preparacion}
     const cola = new ColaEnArchivo(direccion);
     cola.poner('{"n":"primero"}');
     console.log("abierta");
     await new Promise((listo) => process.stdin.once("data", listo));
     try { ${accion} } catch (error) { console.log(error.message); }
     cola.cerrar();
     process.exit();`,
    ruta,
  );
  t.after(() => hijo.kill("SIGKILL"));
  let dicho = "";
  hijo.stdout.on("data", (trozo) => (dicho += trozo));
  while (!dicho.includes("abierta")) await new Promise(setImmediate);
  return { hijo, dicho: () => dicho };
}

const dejarDeLatir = (ruta) => fs.utimesSync(`${ruta}.cerrojo`, new Date(0), Date.now() / 1000 - 31);
const lineas = (cola) => [...cola.primeros(99, 9_999).values()];

test("el cerrojo de otra máquina o contenedor se releva cuando deja de latir, y antes se dice cuánto falta", async (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const { hijo } = await enOtraMaquina(t, ruta, "", "");
  hijo.kill("SIGKILL");
  await once(hijo, "exit");
  const falta = /otra máquina o contenedor, o es de antes de arrancar esta \(otra .*podrá abrirla en (\d+) s\.$/;
  assert.throws(() => new ColaEnArchivo(ruta), (e) => e instanceof ColaOcupada && falta.test(e.message));
  dejarDeLatir(ruta);
  const cola = new ColaEnArchivo(ruta);
  assert.deepEqual(lineas(cola), ['{"n":"primero"}']);
  cola.cerrar();
  assert.deepEqual(fs.readdirSync(path.dirname(ruta)), ["cola.ndjson"]);
});

test("el de otra máquina con el mismo nombre, que arrancó otra vez, también se espera a que deje de latir", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const cola = new ColaEnArchivo(ruta);
  const suyo = fs.readFileSync(`${ruta}.cerrojo`, "utf8");
  cola.cerrar();
  const arranque = fs.readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  fs.writeFileSync(`${ruta}.cerrojo`, suyo.replaceAll(arranque, "otro-arranque"));
  assert.throws(() => new ColaEnArchivo(ruta), ColaOcupada);
  dejarDeLatir(ruta);
  new ColaEnArchivo(ruta).cerrar();
});

test("si el dueño suelta el cerrojo mientras se mira, se toma; si lo sueltan cada vez, está ocupada", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  fs.writeFileSync(`${ruta}.cerrojo`, `${process.pid} `);
  const leer = fs.readFileSync;
  t.mock.method(fs, "readFileSync", (pedida, ...resto) => {
    if (pedida !== `${ruta}.cerrojo`) return leer(pedida, ...resto);
    fs.rmSync(pedida);
    return leer(pedida, ...resto);
  }, { times: 1 });
  const cola = new ColaEnArchivo(ruta);
  cola.poner('{"n":1}');
  t.mock.method(fs, "readFileSync", () => leer(`${ruta}.nada`));
  assert.throws(() => new ColaEnArchivo(ruta), ColaOcupada);
  t.mock.restoreAll();
  cola.cerrar();
  assert.deepEqual(fs.readdirSync(path.dirname(ruta)), ["cola.ndjson"]);
});

for (const existe of [true, false]) {
  test(`por un enlace a una cola que ${existe ? "" : "no "}existe se abre la enlazada, y es la misma`, (t) => {
    const [base, otra] = [carpeta(t), carpeta(t)];
    const [enlace, ruta] = [path.join(base, "enlace.ndjson"), path.join(otra, "cola.ndjson")];
    if (existe) fs.writeFileSync(ruta, '+7 {"n":0}\n');
    fs.symlinkSync(path.relative(fs.realpathSync(base), ruta), enlace);
    const cola = new ColaEnArchivo(enlace);
    cola.poner('{"n":1}');
    assert.throws(() => new ColaEnArchivo(ruta), ColaOcupada);
    cola.cerrar();
    assert.ok(fs.lstatSync(enlace).isSymbolicLink());
    assert.deepEqual(fs.readdirSync(base), ["enlace.ndjson"]);
    assert.match(fs.readFileSync(ruta, "utf8"), existe ? /^\+7 .*\n\+8 .*\n$/ : /^\+\d+ \{"n":1\}\n$/);
  });
}

test("un enlace que da vueltas se niega", (t) => {
  const enlace = path.join(carpeta(t), "cola.ndjson");
  fs.symlinkSync(enlace, enlace);
  assert.throws(() => new ColaEnArchivo(enlace), { code: "ELOOP" });
});

test("al que late no se le releva desde otra máquina", async (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const prisa = "const repetir = setInterval; globalThis.setInterval = (hacer) => repetir(hacer, 10);";
  const { hijo } = await enOtraMaquina(t, ruta, prisa, "");
  dejarDeLatir(ruta);
  const desde = Date.now() - 30_000;
  while (fs.statSync(`${ruta}.cerrojo`).mtimeMs < desde) await new Promise(setImmediate);
  assert.throws(() => new ColaEnArchivo(ruta), ColaOcupada);
  hijo.kill("SIGKILL");
  await once(hijo, "exit");
});

const PARADAS = {
  "antes de encolar": ["", `pararse(); cola.poner('{"n":"tarde"}');`, ["primero"]],
  "con la línea ya escrita": [
    "const { fsyncSync } = fs;",
    `fs.fsyncSync = (archivo) => { pararse(); fsyncSync(archivo); };
     cola.poner('{"n":"tarde"}');`,
    ["primero", "tarde"], // de ella no se dijo que estuviera encolada, y lo está: se repite con su id
  ],
  "al poner el archivo limpio": [
    "const { renameSync } = fs;",
    `const numeros = Array.from({ length: 1_000 }, () => cola.poner("{}"));
     fs.renameSync = (...rutas) => { pararse(); renameSync(...rutas); };
     cola.quitar(numeros);
     cola.poner('{"n":"tarde"}');`,
    ["primero"],
  ],
  "al cerrar": ["", `pararse(); console.log("relevó");`, ["primero"]],
};

for (const [cuando, [preparacion, accion, leidas]] of Object.entries(PARADAS)) {
  test(`el que se paró ${cuando} y sigue tras el relevo ya no es el dueño, y nada se pierde`, async (t) => {
    const ruta = path.join(carpeta(t), "cola.ndjson");
    const { hijo, dicho } = await enOtraMaquina(t, ruta, preparacion, accion);
    hijo.stdin.write("ya\n");
    const parado = () => / T /.test(fs.readFileSync(`/proc/${hijo.pid}/stat`, "utf8"));
    while (!parado()) await new Promise(setImmediate);
    dejarDeLatir(ruta);
    const cola = new ColaEnArchivo(ruta);
    cola.poner('{"n":"nuevo"}');
    hijo.kill("SIGCONT");
    await once(hijo, "exit");
    assert.match(dicho(), /relevó/);
    cola.poner('{"n":"último"}');
    cola.cerrar();
    const otra = new ColaEnArchivo(ruta);
    assert.deepEqual(lineas(otra), [...leidas, "nuevo", "último"].map((n) => JSON.stringify({ n })));
    otra.cerrar();
    assert.deepEqual(fs.readdirSync(path.dirname(ruta)), ["cola.ndjson"]);
  });
}

test("un relevo que murió a medias se releva, y el de un vivo no", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const vivo = new ColaEnArchivo(`${ruta}.vivo`);
  const suyo = fs.readFileSync(`${ruta}.vivo.cerrojo`);
  vivo.cerrar();
  fs.writeFileSync(`${ruta}.cerrojo`, "999999999 1");
  fs.writeFileSync(`${ruta}.cerrojo.relevo`, suyo);
  assert.throws(() => new ColaEnArchivo(ruta), ColaOcupada);
  fs.writeFileSync(`${ruta}.cerrojo.relevo`, "999999999 2");
  new ColaEnArchivo(ruta).cerrar();
  assert.deepEqual(fs.readdirSync(path.dirname(ruta)), ["cola.ndjson", "cola.ndjson.vivo"]);
});

test("un archivo que no es de una cola se niega con su línea, no se toca y no retiene el cerrojo", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const [cortado, sinNumero] = ['+1 {"id":"x"}\n-[1\n+2 {}\n', "+1 {}\n+x {}\n"];
  const ajenos = [["no soy una cola", 1], ["basura\n", 1], [cortado, 2], [sinNumero, 2]];
  for (const [texto, lugar] of ajenos) {
    fs.writeFileSync(ruta, texto);
    assert.throws(() => new ColaEnArchivo(ruta), { message: new RegExp(`^La línea ${lugar} de `) });
    assert.equal(fs.readFileSync(ruta, "utf8"), texto);
    assert.deepEqual(fs.readdirSync(path.dirname(ruta)), ["cola.ndjson"]);
  }
});

test("encolar en un archivo borrado o sustituido es un error, no una pérdida", (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const cola = new ColaEnArchivo(ruta);
  fs.rmSync(ruta);
  assert.throws(() => cola.poner("{}"), /borró o sustituyó/);
  fs.writeFileSync(ruta, "");
  assert.throws(() => cola.poner("{}"), /borró o sustituyó/);
  assert.equal(cola.cuantos, 0);
  cola.cerrar();
});

for (const [nombre, falla] of [["el archivo", "a"], ["la carpeta", "r"]]) {
  test(`si ${nombre} no se puede abrir al limpiar, lo resuelto se sabe y lo nuevo se guarda`, (t) => {
    const ruta = path.join(carpeta(t), "cola.ndjson");
    const cola = new ColaEnArchivo(ruta);
    const numeros = Array.from({ length: 1_000 }, (_, n) => cola.poner(`{"n":${n}}`));
    const abrir = fs.openSync;
    const roto = t.mock.method(fs, "openSync", (...pedido) => {
      if (pedido[1] === falla) throw new Error("EMFILE");
      return abrir(...pedido);
    });
    cola.quitar(numeros);
    roto.mock.restore();
    cola.poner('{"n":"nuevo"}');
    cola.cerrar();
    const otra = new ColaEnArchivo(ruta);
    assert.deepEqual([...otra.primeros(9, 99).values()], ['{"n":"nuevo"}']);
    otra.cerrar();
  });
}

test("aunque lo resuelto no se pueda apuntar, el veredicto se sabe", async (t) => {
  const cola = new ColaEnArchivo(path.join(carpeta(t), "cola.ndjson"));
  const { avisos, cliente } = await preparar(t, { cola });
  t.mock.method(cola, "quitar", () => {
    throw new Error("ENOSPC");
  });
  assert.equal(await estado(cliente.impresion(impresion("a"))), "ACEPTADA");
  while (!avisos.length) await new Promise(setImmediate);
  assert.match(avisos[0], /El cliente falló; seguirá.*ENOSPC/s);
  await cliente.cerrar(0);
});

test("un proceso muerto que nadie recogió no es dueño de nada", async (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const padre = spawn("sh", ["-c", "sleep 600 & echo $!; exec sleep 600"], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => padre.kill());
  const [dicho] = await once(padre.stdout, "data");
  const numero = Number(dicho);
  const campos = () => fs.readFileSync(`/proc/${numero}/stat`, "utf8").split(") ").pop().split(" ");
  // Hasta que el padre no es `sleep`, recogería a su hijo.
  while (fs.readFileSync(`/proc/${padre.pid}/comm`, "utf8") !== "sleep\n") await new Promise(setImmediate);
  process.kill(numero, "SIGKILL");
  while (campos()[0] !== "Z") await new Promise(setImmediate);
  fs.writeFileSync(`${ruta}.cerrojo`, `${numero} ${campos()[19]}`);
  new ColaEnArchivo(ruta).cerrar();
});

const lanza = () => {
  throw new Error("roto");
};

for (const [como, falla] of [["lanza", lanza], ["rechaza", async () => lanza()]]) {
  test(`un registro que ${como} no para el envío ni deja una promesa sin recoger`, async (t) => {
    const sinRecoger = t.mock.fn();
    process.on("unhandledRejection", sinRecoger);
    t.after(() => process.off("unhandledRejection", sinRecoger));
    const registro = { error: falla, warn: falla };
    const { api, cliente } = await preparar(t, { guion: [{ codigo: 500 }, { estados: ["RECHAZADA"] }], registro, alRechazar: falla });
    assert.equal(await estado(cliente.impresion(impresion("a"))), "RECHAZADA");
    assert.equal(await estado(cliente.impresion(impresion("b"))), "ACEPTADA");
    assert.deepEqual(api.ids(), ["a", "a", "b"]);
    await new Promise(setImmediate);
    assert.equal(sinRecoger.mock.callCount(), 0);
  });
}

test("lo que se sabe tras cerrar no toca la cola", async (t) => {
  const ruta = path.join(carpeta(t), "cola.ndjson");
  const cola = new ColaEnArchivo(ruta);
  const { api, avisos, cliente } = await preparar(t, { cola, cada: 0 });
  const quitar = t.mock.method(cola, "quitar");
  const pedir = t.mock.method(globalThis, "fetch");
  let abrir;
  api.puerta = new Promise((listo) => (abrir = listo));
  cliente.impresion(impresion("a"));
  while (!api.lotes.length) await new Promise(setImmediate);
  const { pendientes, motivo } = await cliente.cerrar(0);
  assert.deepEqual([pendientes, motivo.startsWith("no dio tiempo; los enviará")], [1, true]);
  abrir();
  const otro = new Cliente({ direccion: api.direccion, cola: new ColaEnArchivo(ruta) });
  assert.equal((await otro.cerrar()).pendientes, 0);
  assert.deepEqual(api.ids(), ["a", "a"]);
  await (await pedir.mock.calls[0].result).text().catch(() => {}); // ya leída, o enseguida
  for (let vuelta = 0; vuelta < 20; vuelta++) await new Promise(setImmediate);
  assert.equal(quitar.mock.callCount(), 0);
  assert.ok(!avisos.some((aviso) => aviso.includes("falló")));
});
