// Un programa escrito contra lo que openapi-typescript genera: registra una venta, la lee y recorre su campaña.
import createClient from "openapi-fetch";
import type { components, paths } from "./esquema.js";

type NuevaConversion = components["schemas"]["NuevaConversion"];

// @ts-expect-error: un importe sin campaña ni tipo no es una conversión.
export const soloUnImporte: NuevaConversion = { valor: "1.00", moneda: "COP" };
// @ts-expect-error: no hay ninguna moneda que se llame así.
export const deOtraMoneda: NuevaConversion = { campaña_id: "c", tipo_conversion: "VENTA", valor: 1, moneda: "XYZ" };

declare const process: { argv: string[] };
const [, , direccion] = process.argv;
// Lo que se pide en JSON no es el texto de un CSV.
type EnJSON = "application/json" | "application/problem+json";
const { GET, POST } = createClient<paths, EnJSON>({ baseUrl: direccion ?? "" });

const venta: NuevaConversion = {
  id: "venta-ts",
  campaña_id: "cmp-ñ",
  tipo_conversion: "VENTA",
  valor: "150000.50",
  moneda: "COP",
  user_agent: "Mozilla/5.0",
  propiedades: { canal: "historias" },
};
const aceptada = await POST("/tracking/conversiones", { body: venta });
const leida = await GET("/tracking/conversiones/{id}", { params: { path: { id: "venta-ts" } } });
const lista = await GET("/tracking/campanas/{campana_id}/conversiones", {
  params: { path: { campana_id: "cmp-ñ" }, query: { limite: 10, tipo_conversion: "VENTA" } },
});
const negada = await POST("/tracking/conversiones", { body: { ...venta, moneda: null } });

const moneda: components["schemas"]["Conversion"]["moneda"] | undefined = leida.data?.moneda;
console.log(
  JSON.stringify({
    // Con `Prefer: wait` vendría la conversión registrada, que no lleva estado.
    estado: aceptada.data && "estado" in aceptada.data ? aceptada.data.estado : null,
    moneda,
    ids: lista.data?.elementos.map((conversion) => conversion.id),
    siguiente: lista.data?.siguiente,
    negada: negada.error?.type,
  }),
);
