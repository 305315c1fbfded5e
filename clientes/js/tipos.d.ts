// Lo escribe clientes/generar_tipos.py a partir de la descripción OpenAPI de la API.

/** Lo que se envía de un evento. */
export interface NuevaImpresion {
  /** Clave de idempotencia, en un solo espacio para todas las campañas: `tienda-1001` mejor que `1001`. Si falta vale la cabecera `Idempotency-Key`, y sin ella se asigna un UUIDv7. */
  id?: string | null;
  campaña_id: string;
  influencer_id?: string | null;
  usuario_id?: string | null;
  /** También en minúsculas. */
  tipo_evento?: "IMPRESION" | "CLIC" | "VISUALIZACION" | null;
  /** El clic del que viene, como lo puso el enlace en la dirección de destino. Nunca es motivo de rechazo: si no puede serlo (hasta 128 caracteres, sin controles ni espacios en los extremos) queda en `propiedades.clic_id_recibido`, con una advertencia. */
  clic_id?: string | null;
  /** Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia. */
  user_agent?: string | null;
  /** Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia. */
  ip_address?: string | null;
  /** Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia. */
  referrer?: string | null;
  /** RFC 3339 con zona; también como `-0700`. Anterior al año 2000 o más de 24 horas por delante del reloj del servidor, queda en `propiedades.timestamp_recibido`, con una advertencia. */
  timestamp?: string | null;
  /** Un objeto de textos. Nunca es motivo de rechazo: un número o un booleano queda como su literal, `{"utm": {"source": …}}` como `utm.source`, y lo más anidado como su JSON. Se guardan 64, con nombres de hasta 64 caracteres y valores de hasta 2048; lo que pasa de ahí se recorta o se deja, con una advertencia. */
  propiedades?: Readonly<Record<string, unknown>> | null;
}

/** Lo que se envía de un evento. */
export interface NuevaConversion {
  /** Clave de idempotencia, en un solo espacio para todas las campañas: `tienda-1001` mejor que `1001`. Si falta vale la cabecera `Idempotency-Key`, y sin ella se asigna un UUIDv7. */
  id?: string | null;
  campaña_id: string;
  influencer_id?: string | null;
  usuario_id?: string | null;
  /** También en minúsculas. `VENTA` exige `valor` y `moneda`. */
  tipo_conversion: "VENTA" | "REGISTRO" | "SUSCRIPCION" | "DESCARGA" | "FORMULARIO" | "OTRA";
  /** Importe exacto: como número o como texto de dígitos con punto decimal. Nunca se convierte a coma flotante. Lo que se lee de dos maneras, como `150.000` COP, es un 422 `valor_ambiguo`: escriba `150000` o `150`. Uno negativo no vale: revertir una venta no tiene todavía operación. */
  valor?: number | string | null;
  /** ISO 4217, con unidad menor. Una retirada (`HRK` en 2023, `BGN` en 2026) vale para lo que, según su `timestamp`, ocurrió antes. También en minúsculas. */
  moneda?: "ADP" | "AED" | "AFA" | "AFN" | "ALL" | "AMD" | "ANG" | "AOA" | "AON" | "AOR" | "ARS" | "ATS" | "AUD" | "AWG" | "AYM" | "AZM" | "AZN" | "BAM" | "BBD" | "BDT" | "BEF" | "BGL" | "BGN" | "BHD" | "BIF" | "BMD" | "BND" | "BOB" | "BOV" | "BRL" | "BSD" | "BTN" | "BWP" | "BYB" | "BYN" | "BYR" | "BZD" | "CAD" | "CDF" | "CHC" | "CHE" | "CHF" | "CHW" | "CLF" | "CLP" | "CNY" | "COP" | "COU" | "CRC" | "CSD" | "CUC" | "CUP" | "CVE" | "CYP" | "CZK" | "DEM" | "DJF" | "DKK" | "DOP" | "DZD" | "ECS" | "ECV" | "EEK" | "EGP" | "ERN" | "ESP" | "ETB" | "EUR" | "FIM" | "FJD" | "FKP" | "FRF" | "GBP" | "GEL" | "GHC" | "GHP" | "GHS" | "GIP" | "GMD" | "GNF" | "GRD" | "GTQ" | "GYD" | "HKD" | "HNL" | "HRK" | "HTG" | "HUF" | "IDR" | "IEP" | "ILS" | "INR" | "IQD" | "IRR" | "ISK" | "ITL" | "JMD" | "JOD" | "JPY" | "KES" | "KGS" | "KHR" | "KMF" | "KPW" | "KRW" | "KWD" | "KYD" | "KZT" | "LAK" | "LBP" | "LKR" | "LRD" | "LSL" | "LTL" | "LUF" | "LVL" | "LYD" | "MAD" | "MDL" | "MGA" | "MGF" | "MKD" | "MMK" | "MNT" | "MOP" | "MRO" | "MRU" | "MTL" | "MUR" | "MVR" | "MWK" | "MXN" | "MXV" | "MYR" | "MZM" | "MZN" | "NAD" | "NGN" | "NIO" | "NLG" | "NOK" | "NPR" | "NZD" | "OMR" | "PAB" | "PEN" | "PGK" | "PHP" | "PKR" | "PLN" | "PTE" | "PYG" | "QAR" | "ROL" | "RON" | "RSD" | "RUB" | "RUR" | "RWF" | "SAR" | "SBD" | "SCR" | "SDD" | "SDG" | "SEK" | "SGD" | "SHP" | "SIT" | "SKK" | "SLE" | "SLL" | "SOS" | "SRD" | "SRG" | "SSP" | "STD" | "STN" | "SVC" | "SYP" | "SZL" | "THB" | "TJR" | "TJS" | "TMM" | "TMT" | "TND" | "TOP" | "TPE" | "TRL" | "TRY" | "TTD" | "TWD" | "TZS" | "UAH" | "UGX" | "USD" | "USN" | "USS" | "UYI" | "UYU" | "UYW" | "UZS" | "VEB" | "VED" | "VEF" | "VES" | "VND" | "VUV" | "WST" | "XAD" | "XAF" | "XCD" | "XCG" | "XOF" | "XPF" | "YER" | "YUM" | "ZAR" | "ZMK" | "ZMW" | "ZWD" | "ZWG" | "ZWL" | "ZWN" | "ZWR" | null;
  /** El código con que se atribuye a quien lo repartió, si se usó alguno. */
  cupon?: string | null;
  /** El clic del que viene, como lo puso el enlace en la dirección de destino. Nunca es motivo de rechazo: si no puede serlo (hasta 128 caracteres, sin controles ni espacios en los extremos) queda en `propiedades.clic_id_recibido`, con una advertencia. */
  clic_id?: string | null;
  /** Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia. */
  user_agent?: string | null;
  /** Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia. */
  ip_address?: string | null;
  /** Texto. Nunca es motivo de rechazo: lo ilegible se repara o descarta con una advertencia. */
  referrer?: string | null;
  /** RFC 3339 con zona; también como `-0700`. Anterior al año 2000 o más de 24 horas por delante del reloj del servidor, queda en `propiedades.timestamp_recibido`, con una advertencia. */
  timestamp?: string | null;
  /** Un objeto de textos. Nunca es motivo de rechazo: un número o un booleano queda como su literal, `{"utm": {"source": …}}` como `utm.source`, y lo más anidado como su JSON. Se guardan 64, con nombres de hasta 64 caracteres y valores de hasta 2048; lo que pasa de ahí se recorta o se deja, con una advertencia. */
  propiedades?: Readonly<Record<string, unknown>> | null;
}

/** Lo que un campo incumple. */
export interface Falta {
  campo: string;
  codigo: "requerido" | "longitud_excedida" | "caracter_de_control" | "espacio_en_los_extremos" | "sustituto_suelto" | "id_no_direccionable" | "valor_no_permitido" | "valor_ilegible" | "valor_negativo" | "valor_demasiado_grande" | "demasiados_decimales" | "moneda_desconocida" | "timestamp_ilegible" | "campo_repetido" | "conflicto_de_id" | "rechazada_por_la_base_de_datos" | "demasiadas_propiedades" | "timestamp_demasiado_antiguo" | "timestamp_en_el_futuro" | "tipo_incorrecto" | "valor_ambiguo" | "campo_desconocido" | "caracter_invisible" | "elemento_ilegible" | "sin_permiso" | "macro_sin_reemplazar" | "campo_reservado" | "cabecera_ilegible" | "cabecera_no_admitida" | "elemento_demasiado_grande" | "parametro_desconocido" | "parametro_invalido" | "cursor_invalido" | "sin_respuesta_exacta";
  mensaje: string;
}

/** El broker ya guardó este. */
export interface ElementoAceptado {
  estado: "ACEPTADA";
  /** Su lugar en lo enviado; el primero es el 0. */
  indice: number;
  id: string;
  comando_id: string;
  /** Lo que se reparó o descartó: un código, y `:campo` si habla de uno. */
  advertencias: string[];
}

/** Este no vale; lo demás sigue.

    Lo que va detrás de `errores` solo está si el broker lo guardó y, con `Prefer: wait`, se supo que no se
    pudo registrar. */
export interface ElementoRechazado {
  estado: "RECHAZADA";
  /** Su lugar en lo enviado; el primero es el 0. */
  indice: number;
  /** Sus faltas, como mucho 64. */
  errores: Falta[];
  id?: string;
  comando_id?: string;
  /** `null` si el mensaje no se pudo descifrar. */
  motivo?: "requerido" | "longitud_excedida" | "caracter_de_control" | "espacio_en_los_extremos" | "sustituto_suelto" | "id_no_direccionable" | "valor_no_permitido" | "valor_ilegible" | "valor_negativo" | "valor_demasiado_grande" | "demasiados_decimales" | "moneda_desconocida" | "timestamp_ilegible" | "campo_repetido" | "conflicto_de_id" | "rechazada_por_la_base_de_datos" | "demasiadas_propiedades" | "timestamp_demasiado_antiguo" | "timestamp_en_el_futuro" | "tipo_incorrecto" | "valor_ambiguo" | "campo_desconocido" | "caracter_invisible" | "elemento_ilegible" | "sin_permiso" | "macro_sin_reemplazar" | "campo_reservado" | "cabecera_ilegible" | "cabecera_no_admitida" | "elemento_demasiado_grande" | "parametro_desconocido" | "parametro_invalido" | "cursor_invalido" | "sin_respuesta_exacta" | null;
  /** Una frase; nunca un valor recibido. */
  detalle?: string;
  /** Los que faltan a su regla o, si el `id` ya era de otro contenido, los que difieren. */
  campos?: string[];
}
