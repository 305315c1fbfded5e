"""`POST /tracking/cloudevents`: los dos comandos como CloudEvents 1.0, en los tres modos de su enlace HTTP.

Qué es: de una petición a uno o muchos CloudEvents, que se reciben como los envíos corrientes.
Qué no es: un dialecto. Los datos son los mismos campos, y lo que se responde, también.
Por qué existe: quien ya tiene una biblioteca o una malla de eventos la apunta aquí y no escribe nada.
"""

from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alpespartners.api.captura import lotes
from alpespartners.api.captura.cloudevent import OBLIGATORIOS, VERSION, LectorDeCloudEvents
from alpespartners.api.captura.lotes import ELEMENTOS_MAXIMOS, LIMITES, Lotes
from alpespartners.api.captura.resultados import LoteRecibido
from alpespartners.api.http.acceso import cobrar
from alpespartners.api.http.cabeceras import cabeceras_de
from alpespartners.api.http.claves import Alcance
from alpespartners.api.http.cuerpo import faltas_del_cuerpo, leer_cuerpo, tipo_de_contenido
from alpespartners.api.http.descripcion import Contestacion, CuerpoPedido, Esquema, Etiqueta, Operacion
from alpespartners.api.http.limites import DE_UN_EVENTO, LimitesDeCuerpo
from alpespartners.api.http.parametros import leer_parametros
from alpespartners.api.http.preferencias import preferencias_aplicadas
from alpespartners.api.http.problemas import datos_invalidos
from alpespartners.api.http.rutas import RutaDescrita
from alpespartners.api.http.tipos_de_medio import CLOUDEVENT, JSON, LOTE_DE_CLOUDEVENTS
from alpespartners.api.tracking.clases import ClaseHTTP
from alpespartners.api.tracking.envios import PREFER, Envios
from alpespartners.api.tracking.presentacion import Aceptado, YaRegistrado
from alpespartners.api.tracking.problemas import EN_CONFLICTO, NO_VALIDO_O_NEGADO, SIN_BROKER
from alpespartners.api.tracking.rutas import clase_en_http
from alpespartners.modulos.tracking.aplicacion.recepcion import NoValida
from alpespartners.modulos.tracking.dominio.excepciones import Recolector
from alpespartners.seedwork.json_estricto import leer_json

RUTA: Final = "/tracking/cloudevents"
_TIPOS: Final = (CLOUDEVENT, LOTE_DE_CLOUDEVENTS, JSON)
_LIMITES_DE_UNO: Final = LimitesDeCuerpo(
    octetos=DE_UN_EVENTO.octetos, comprimidos=DE_UN_EVENTO.comprimidos, tipos=_TIPOS
)
_LIMITES_DE_UN_LOTE: Final = LimitesDeCuerpo(
    octetos=LIMITES.octetos, comprimidos=LIMITES.comprimidos, tipos=_TIPOS
)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudEvents:
    """El punto de los CloudEvents: quién los lee, y quién recibe uno o muchos."""

    lector: LectorDeCloudEvents
    envios: Envios
    lotes: Lotes

    def ruta(self) -> RutaDescrita:
        """La de todos los modos, que se distinguen por el tipo de contenido."""
        return RutaDescrita(
            plantilla=RUTA,
            metodo="POST",
            atencion=self._atender,
            alcance=Alcance.CAPTURA,
            operacion=_operacion(self.lector),
        )

    async def _atender(self, peticion: Request) -> Response:
        cabeceras = cabeceras_de(peticion)
        tipo = tipo_de_contenido(cabeceras)
        if tipo == LOTE_DE_CLOUDEVENTS:
            # La especificación deja que un lote venga vacío (enlace HTTP, §3.3.2).
            return await self.lotes.recibir(
                peticion, _LIMITES_DE_UN_LOTE, self.lector.estructurado, puede_ir_vacio=True
            )
        octetos = await leer_cuerpo(peticion, self.envios.segundos_de_cuerpo, _LIMITES_DE_UNO)
        cobrar(peticion, 1, len(octetos))
        cuerpo = leer_json(octetos)
        entrada = (
            self.lector.estructurado(cuerpo) if tipo == CLOUDEVENT else self.lector.binario(cabeceras, cuerpo)
        )
        if isinstance(entrada, NoValida):
            recolector = Recolector()
            leer_parametros(peticion.scope["query_string"], (), recolector)
            raise datos_invalidos([*recolector.fallos, *entrada.fallos])
        return await self.envios.recibir(
            peticion,
            clase_en_http(entrada.clase),
            entrada.cuerpo,
            traza=entrada.traza,
            id_derivado=entrada.id_derivado,
        )


def _operacion(lector: LectorDeCloudEvents) -> Operacion:
    clases = {tipo: clase_en_http(clase) for tipo, clase in lector.clases.items()}
    en_http = [*clases.values()]
    rutas = "|".join(una.ruta for una in en_http)
    direccion: Esquema = {
        "description": "Dónde se leerá el evento, con el `id` codificado.",
        "required": True,
        "schema": {"type": "string", "pattern": f"^(?:{rutas})/[A-Za-z0-9._~%-]+$"},
    }
    return Operacion(
        id="registrar_cloudevents",
        etiqueta=Etiqueta("cloudevents", "Los mismos comandos, como CloudEvents 1.0."),
        resumen="Registrar CloudEvents",
        descripcion=(
            f"En modo estructurado (`{CLOUDEVENT}`), por lotes (`{LOTE_DE_CLOUDEVENTS}`, hasta "
            f"{ELEMENTOS_MAXIMOS} y {_LIMITES_DE_UN_LOTE.octetos // 1024} KiB) o binario: los datos, como "
            f"`{JSON}`, y los atributos en cabeceras `ce-…`, que aquí no se enumeran. Cada uno, hasta "
            f"{DE_UN_EVENTO.octetos // 1024} KiB.\n\n"
            f"`data` son los campos que llevaría el envío por su ruta, y `type` dice cuál: "
            f"{' o '.join(f'`{tipo}`' for tipo in clases)}.\n\n"
            "La clave de idempotencia es `data.id`; si falta, la cabecera `Idempotency-Key` y, sin ella, un "
            "UUIDv5 que sale de `source` y del `id` del CloudEvent: repetirlo es seguro, y lo dice la "
            "advertencia `id_derivado`. `time` vale por `timestamp` si este falta. `traceparent` sigue la "
            "traza. `subject`, `dataschema` y las extensiones van a `propiedades`, con el prefijo `ce_`.\n\n"
            "Uno solo se responde como un envío, también con `Prefer: wait=N`; muchos, como un lote, también "
            "el 503: con el resultado de cada uno."
        ),
        parametros=(PREFER,),
        cuerpo=CuerpoPedido(
            nombre="CloudEvent",
            tipo=CLOUDEVENT,
            esquema={"anyOf": [_esquema(tipo, una) for tipo, una in clases.items()]},
            ejemplo=_ejemplo(*next(iter(clases.items()))),
            limites=_LIMITES_DE_UN_LOTE,
            otros_esquemas={
                LOTE_DE_CLOUDEVENTS: {
                    "type": "array",
                    "maxItems": ELEMENTOS_MAXIMOS,
                    "items": {"$ref": "#/components/schemas/CloudEvent"},
                }
            },
        ),
        contestaciones={
            200: Contestacion(
                descripcion=(
                    "De un lote, qué fue de cada uno. De uno solo, con `Prefer: wait`: ya estaba registrado "
                    "con el mismo contenido; es este, o solo qué comando lo registró si la clave no lee."
                ),
                formas=(LoteRecibido, *(una.forma_repetida for una in en_http), YaRegistrado),
                ejemplos={"lote": LoteRecibido.ejemplos[0]},
                cabeceras=preferencias_aplicadas(obligatoria=False),
            ),
            201: Contestacion(
                descripcion="Con `Prefer: wait`: quedó registrado.",
                formas=tuple(una.forma for una in en_http),
                ejemplos={una.clase.nombre: una.forma.ejemplos[0] for una in en_http},
                cabeceras={"Location": direccion, **preferencias_aplicadas()},
            ),
            202: Contestacion(
                descripcion="Aceptado y a salvo en el broker.",
                formas=(Aceptado,),
                cabeceras={"Location": direccion, **preferencias_aplicadas(obligatoria=False)},
            ),
            **{
                estado: _de_uno_o_de_muchos(estado)
                for estado in (
                    HTTPStatus.BAD_REQUEST,
                    HTTPStatus.REQUEST_TIMEOUT,
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                )
            },
            409: EN_CONFLICTO,
            422: NO_VALIDO_O_NEGADO,
            503: SIN_BROKER,
        },
    )


def _de_uno_o_de_muchos(estado: int) -> Contestacion:
    """Cómo se describe un cuerpo que no se pudo leer entero: de un lote se dice qué fue de lo leído."""
    de_uno, de_muchos = faltas_del_cuerpo(_LIMITES_DE_UNO)[estado], lotes.OPERACION.contestaciones[estado]
    return replace(
        de_muchos,
        descripcion=f"{de_uno.descripcion} De un lote: {de_muchos.descripcion}",
        formas=(*de_uno.formas, *de_muchos.formas),
        componente=f"{estado}_cloudevents",
    )


def _esquema(tipo: str, clase: ClaseHTTP) -> dict[str, Any]:
    """El de un CloudEvent con un comando de esa clase."""
    texto = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000-\u001f\u007f-\u009f]+$"}
    return {
        "type": "object",
        "title": f"CloudEvent{clase.cuerpo.nombre}",
        "required": [*OBLIGATORIOS, "data"],
        "properties": {
            "specversion": {"enum": [VERSION]},
            "id": texto,
            "source": texto,
            "type": {"enum": [tipo]},
            "datacontenttype": {"enum": [JSON, None]},
            "time": {"type": "string", "format": "date-time"},
            "data": {"$ref": f"#/components/schemas/{clase.cuerpo.nombre}"},
        },
    }


def _ejemplo(tipo: str, clase: ClaseHTTP) -> dict[str, Any]:
    return {
        "specversion": VERSION,
        "id": "a-1001",
        "source": "/tienda",
        "type": tipo,
        "data": clase.cuerpo.ejemplo,
    }
