// Escribe en JSON lo que el lector oficial de AsyncAPI dice de un documento, y qué mensajes encuentra en él.
import { readFile } from "node:fs/promises";
import { AvroSchemaParser } from "@asyncapi/avro-schema-parser";
import { Parser } from "@asyncapi/parser";

const lector = new Parser();
lector.registerSchemaParser(AvroSchemaParser());
const { document, diagnostics } = await lector.parse(await readFile(process.argv[2], "utf8"));
const dicho = diagnostics.map(({ severity, code, path, message }) => ({
  gravedad: severity,
  codigo: code,
  donde: path.join("."),
  mensaje: message,
}));
const mensajes = document?.allMessages().all().map((mensaje) => mensaje.name()) ?? [];
console.log(JSON.stringify({ mensajes, dicho }));
