"""La descripción OpenAPI frente al servicio: schemathesis no encuentra diferencias.

Por cada operación, al menos 200 peticiones con datos que la descripción admite y que no admite, siempre las
mismas, y todas las comprobaciones de schemathesis. Lo que un esquema no puede decir se le dice aquí: que un
instante cabe en el calendario, que un cursor solo sale de la página anterior, cuántos decimales lleva un
importe, hasta cuándo vale una moneda, que el `id` y la campaña se dicen una vez, qué zonas hay, qué periodo
cabe en un informe, adónde puede llevar un enlace, que lo que solo describe no es motivo de rechazo, tampoco
cuando no es de su tipo, y que en un lote se rechaza un elemento y no la petición.
"""

import copy
from collections.abc import Generator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unicodedata import normalize

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance
from schemathesis.specs.openapi.formats import unregister_string_format

from alpespartners.api.http.tipos_de_medio import NDJSON
from alpespartners.modulos.tracking.dominio.monedas import DECIMALES, RETIRADA_EN
from tests.apoyo.memoria import AHORA, PuertosEnMemoria, api_en_memoria, descripcion
from tests.apoyo.servidor import servidor

_ZONAS = st.integers(-12 * 60, 14 * 60).map(lambda minutos: timezone(timedelta(minutes=minutos)))
_SEGUNDOS_CREIBLES = st.integers(
    int(datetime(2000, 1, 1, tzinfo=UTC).timestamp()), int((AHORA + timedelta(hours=24)).timestamp())
)
_INSTANTES_CREIBLES = st.builds(datetime.fromtimestamp, _SEGUNDOS_CREIBLES, _ZONAS).map(datetime.isoformat)
_ENVIOS = {
    "/tracking/impresiones": "NuevaImpresion",
    "/tracking/conversiones": "NuevaConversion",
    "/tracking/cloudevents": "CloudEvent",
}
_QUE_DESCRIBEN = {"clic_id", "user_agent", "ip_address", "referrer", "propiedades", "time"}
_DOCUMENTO: Any = descripcion()
_DESCRIPCION = schemathesis.openapi.from_dict(_DOCUMENTO)


@schemathesis.serializer(NDJSON)
def _por_lineas(_contexto: object, valor: object) -> bytes:
    """Un texto, tal cual: cada línea es lo que sea. Un lote tiene alguna."""
    return str(valor).encode("utf-8", "surrogatepass") + b"\n{}"


@pytest.fixture(scope="module")
def direccion() -> Generator[str]:
    """Un servicio entero sobre puertos en memoria."""
    with servidor(api_en_memoria(PuertosEnMemoria())) as puerto:
        yield f"http://127.0.0.1:{puerto}"


@pytest.fixture(scope="module", autouse=True)
def instantes_creibles() -> Generator[None]:
    """Enseña a schemathesis qué instantes acepta el servicio."""
    schemathesis.openapi.format("date-time", _INSTANTES_CREIBLES)
    yield
    unregister_string_format("date-time")


@_DESCRIPCION.parametrize()
@seed(456)
@settings(
    max_examples=200,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_la_descripcion_y_el_servicio_dicen_lo_mismo(case: schemathesis.Case[Any], direccion: str) -> None:
    assert case.meta is not None
    if case.meta.generation.mode.is_positive:
        # Puede ser el mismo ejemplo que sirve la descripción: lo que se ajusta es una copia.
        case.body = copy.deepcopy(case.body) if isinstance(case.body, dict) else case.body
        case.query.pop("cursor", None)
        _pedir_un_informe_que_se_puede_responder(case)
        _decir_el_id_una_vez(case)
        for cuerpo in _cuerpos(case.body):
            _decir_la_campaña_una_vez(cuerpo)
            _redondear_el_importe(cuerpo)
            _pagar_con_lo_de_entonces(cuerpo)
            _llevar_a_una_tienda(cuerpo)
        if case.path.endswith("/firma"):
            # Que se pueda depende del enlace, y de si el plazo pasó para el reloj del servicio.
            case.call_and_validate(base_url=direccion, excluded_checks=[positive_data_acceptance])
            return
    elif _solo_describe_mal(case) or _es_un_lote(case):
        case.call_and_validate(base_url=direccion, excluded_checks=[negative_data_rejection])
        return
    case.call_and_validate(base_url=direccion)


def _pedir_un_informe_que_se_puede_responder(caso: schemathesis.Case[Any]) -> None:
    """Deja de un informe el periodo y la zona de siempre; los usuarios, solo con todo y por días o más."""
    if caso.path.endswith("/informe"):
        for nombre in ("desde", "hasta", "zona"):
            caso.query.pop(nombre, None)
        sin_robots = caso.query.get("bots") == "excluir"
        if caso.query.get("granularidad") == "hora" or "por" in caso.query or sin_robots:
            caso.query.pop("incluir", None)


def _decir_el_id_una_vez(case: schemathesis.Case[Any]) -> None:
    """Deja el `id` en la cabecera o en el cuerpo: en los dos tiene que ser el mismo."""
    if isinstance(case.body, dict) and "Idempotency-Key" in (case.headers or {}):
        case.body.pop("id", None)


def _decir_la_campaña_una_vez(cuerpo: dict[str, Any]) -> None:
    """Deja la campaña con su nombre: con otra de sus grafías tendría que ser la misma."""
    for grafia in ("campana_id", normalize("NFD", "campaña_id")):
        cuerpo.pop(grafia, None)


def _solo_describe_mal(caso: schemathesis.Case[Any]) -> bool:
    """Dice si a un envío que no se ajusta le bastaría, para ajustarse, con no llevar lo que solo describe."""
    nombre = _ENVIOS.get(caso.path)
    if nombre is None or not isinstance(caso.body, dict):
        return False
    esquema = {"$ref": f"#/components/schemas/{nombre}", "components": _DOCUMENTO["components"]}
    identidad = _lo_que_decide(caso.body)
    if isinstance(identidad.get("data"), dict):
        identidad["data"] = _lo_que_decide(identidad["data"])
    return identidad != caso.body and jsonschema_rs.is_valid(esquema, identidad)


def _lo_que_decide(cuerpo: dict[str, Any]) -> dict[str, Any]:
    return {campo: valor for campo, valor in cuerpo.items() if campo not in _QUE_DESCRIBEN}


def _cuerpos(cuerpo: Any) -> list[dict[str, Any]]:
    """El de un envío, y el que lleva un CloudEvent."""
    if not isinstance(cuerpo, dict):
        return []
    return [uno for uno in (cuerpo, cuerpo.get("data")) if isinstance(uno, dict)]


def _es_un_lote(caso: schemathesis.Case[Any]) -> bool:
    """Dice si de lo que no se ajusta puede responder cada elemento, dentro de un 200."""
    de_muchos = caso.path in {"/tracking/lotes", "/tracking/cloudevents"}
    return de_muchos and (caso.media_type == NDJSON or isinstance(caso.body, list))


def _redondear_el_importe(cuerpo: dict[str, Any]) -> None:
    """Deja un importe que es un número con los decimales de su moneda."""
    if isinstance(cuerpo.get("valor"), float):
        cuerpo["valor"] = round(cuerpo["valor"], DECIMALES[cuerpo["moneda"]])


def _llevar_a_una_tienda(cuerpo: dict[str, Any]) -> None:
    """Deja de un enlace un destino, y unos dominios, que existirían."""
    if "destino" in cuerpo:
        cuerpo["destino"] = "https://tienda.com/zapatos?color=rojo"
    if cuerpo.get("dominios_permitidos"):
        cuerpo["dominios_permitidos"] = ["tienda.com", "*.tienda.com"]


def _pagar_con_lo_de_entonces(cuerpo: dict[str, Any]) -> None:
    """Deja una venta en una moneda retirada en un día en que existía."""
    if cuerpo.get("moneda") in RETIRADA_EN:
        cuerpo["timestamp"] = "2000-01-15T10:30:00Z"
