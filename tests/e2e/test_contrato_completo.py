"""El contrato con todas las piezas de verdad: HTTP, el broker, la base de datos y los tópicos de eventos."""

import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx2
import pytest

from alpespartners.modulos.tracking.aplicacion.topicos import (
    COMANDO_REGISTRAR_CONVERSION,
    COMANDO_REGISTRAR_IMPRESION,
    EVENTO_CONVERSION_REGISTRADA,
    EVENTO_IMPRESION_REGISTRADA,
)
from alpespartners.modulos.tracking.infraestructura.mensajes.esquemas import ESQUEMAS
from tests.apoyo.base_datos import sql
from tests.apoyo.espera import hasta
from tests.apoyo.eventos import IMPRESION
from tests.apoyo.lector import mensajes_del_topico, mensajes_publicados, publicar
from tests.apoyo.primer_esquema import carga_del_primero
from tests.apoyo.procesos import conexiones
from tests.apoyo.servicio import Instalacion, instalacion

TRAZA = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
IDS = ["FV/2024/001", "a/destino", "a b%c?d#e", "ñandú-1", "🛒" * 128]
CARTAS_DE_IMPRESIONES = f"{COMANDO_REGISTRAR_IMPRESION}-tracking-DLQ"
CARTAS_DE_CONVERSIONES = f"{COMANDO_REGISTRAR_CONVERSION}-tracking-DLQ"


@pytest.fixture(scope="module")
def servicio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instalacion]:
    with instalacion(tmp_path_factory.mktemp("contrato"), ALPES_REGISTRO="DEBUG") as nueva:
        nueva.iniciar()
        nueva.esperar_consumidores()
        yield nueva


def enviar(servicio: Instalacion, clase: str, **campos: object) -> httpx2.Response:
    """Envía un evento y exige su 202."""
    cuerpo = {"campaña_id": "cmp-456"} | ({"tipo_conversion": "REGISTRO"} if clase == "conversiones" else {})
    respuesta = servicio.http.post(f"/tracking/{clase}", json=cuerpo | campos)
    assert respuesta.status_code == 202, respuesta.text
    return respuesta


def leer(servicio: Instalacion, direccion: str) -> httpx2.Response:
    """Lo registrado en esa dirección, en cuanto se pueda leer."""
    return hasta(lambda: _si_esta(servicio.http.get(direccion)))


def _si_esta(respuesta: httpx2.Response) -> httpx2.Response | None:
    return respuesta if respuesta.status_code == 200 else None


def eventos(
    servicio: Instalacion, topico: str, id_evento: str
) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Los mensajes del tópico que hablan de ese `id`; al menos uno."""
    return hasta(
        lambda: [m for m in mensajes_publicados(servicio.datos, topico) if m[1]["id"] == id_evento], 30, 0.2
    )


@pytest.mark.parametrize("clase", ["impresiones", "conversiones"])
@pytest.mark.parametrize("id_evento", IDS)
def test_un_id_cualquiera_se_registra_y_se_lee_por_su_direccion(
    servicio: Instalacion, clase: str, id_evento: str
) -> None:
    aceptada = enviar(servicio, clase, id=id_evento)
    direccion = f"/tracking/{clase}/{quote(id_evento, safe='')}"
    assert aceptada.json()["id"] == id_evento
    assert aceptada.headers["Location"] == direccion
    leida = leer(servicio, direccion).json()
    assert leida["id"] == id_evento
    assert leida["comando_id"] == aceptada.json()["comando_id"]


def test_el_dinero_va_del_envio_a_la_respuesta_y_al_evento_cifra_por_cifra(servicio: Instalacion) -> None:
    cuerpo = (
        '{"id": "dinero", "campaña_id": "c", "tipo_conversion": "VENTA", "valor": 99999999999999.99,'
        ' "moneda": "COP"}'
    )
    cabeceras = {"Content-Type": "application/json"}
    aceptada = servicio.http.post("/tracking/conversiones", content=cuerpo.encode(), headers=cabeceras)
    assert aceptada.status_code == 202
    assert '"valor":99999999999999.99,' in leer(servicio, "/tracking/conversiones/dinero").text
    ((_, campos),) = eventos(servicio, EVENTO_CONVERSION_REGISTRADA, "dinero")
    assert str(campos["valor"]) == "99999999999999.9900"


def test_veinte_envios_simultaneos_del_mismo_id_son_una_fila_un_evento_y_19_duplicados(
    servicio: Instalacion,
) -> None:
    with ThreadPoolExecutor(20) as hilos:
        envios = [hilos.submit(enviar, servicio, "impresiones", id="veinte") for _ in range(20)]
    comandos = {envio.result().json()["comando_id"] for envio in envios}
    assert len(comandos) == 20

    consulta = "SELECT comando_id, original FROM destinos WHERE evento_id = 'veinte' AND estado = 'DUPLICADA'"
    duplicados: list[Any] = hasta(lambda: _si_son(19, sql(servicio.datos, consulta)))
    ((original,),) = sql(servicio.datos, "SELECT comando_id FROM impresiones WHERE id = 'veinte'")
    assert {comando for comando, _ in duplicados} == comandos - {original}
    assert {apuntado for _, apuntado in duplicados} == {original}
    assert len(eventos(servicio, EVENTO_IMPRESION_REGISTRADA, "veinte")) == 1


def _si_son(cuantas: int, filas: list[tuple[object, ...]]) -> list[tuple[object, ...]] | None:
    return filas if len(filas) == cuantas else None


def test_el_mismo_id_con_otro_contenido_es_un_conflicto_que_nombra_los_campos(servicio: Instalacion) -> None:
    enviar(servicio, "conversiones", id="disputada", influencer_id="inf-1", usuario_id="usr-1")
    antes = leer(servicio, "/tracking/conversiones/disputada").json()
    enviar(
        servicio,
        "conversiones",
        id="disputada",
        influencer_id="inf-secreto",
        usuario_id="usr-1",
        moneda="COP",
    )
    consulta = "SELECT estado, motivo, campos, detalle FROM destinos WHERE evento_id = 'disputada'"
    ((estado, motivo, campos, detalle),) = hasta(lambda: sql(servicio.datos, consulta))
    assert (estado, motivo) == ("RECHAZADA", "conflicto_de_id")
    assert json.loads(str(campos)) == ["influencer_id", "moneda"]
    assert "secreto" not in str(detalle)
    assert servicio.http.get("/tracking/conversiones/disputada").json() == antes
    assert len(eventos(servicio, EVENTO_CONVERSION_REGISTRADA, "disputada")) == 1


def test_recorrer_una_lista_mientras_llegan_eventos_no_repite_ninguno_ni_se_salta_los_que_estaban(
    servicio: Instalacion,
) -> None:
    def mandar(numero: int) -> str:
        # Diez por instante: el cursor también debe distinguir los que ocurrieron a la vez.
        instante = f"2024-01-15T10:30:{numero // 10 % 60:02}Z"
        enviar(servicio, "impresiones", id=f"lista-{numero}", campaña_id="c lista", timestamp=instante)
        return f"lista-{numero}"

    with ThreadPoolExecutor(8) as hilos:
        del_principio = set(hilos.map(mandar, range(250)))
    direccion = f"/tracking/campañas/{quote('c lista')}/impresiones"
    hasta(lambda: len(servicio.http.get(f"{direccion}?limite=1000").json()["elementos"]) == 250, 60)

    vistos: list[str] = []
    # Ni seguidos ni en orden: unos caen en lo ya recorrido y otros en lo que falta.
    nuevos = count(250, 175)
    siguiente: str | None = f"{direccion}?limite=40"
    while siguiente is not None:
        respuesta = servicio.http.get(siguiente)
        pagina = respuesta.json()
        vistos += [elemento["id"] for elemento in pagina["elementos"]]
        siguiente = respuesta.links["next"]["url"] if "next" in respuesta.links else None
        assert (siguiente is None) == (pagina["siguiente"] is None)
        for numero in (next(nuevos), next(nuevos)):
            leer(servicio, f"/tracking/impresiones/{mandar(numero)}")
    assert [visto for visto, veces in Counter(vistos).items() if veces > 1] == []
    assert del_principio - set(vistos) == set()


def test_un_evento_lleva_las_propiedades_cloudevents_del_contrato_y_la_fila_entera(
    servicio: Instalacion,
) -> None:
    cuerpo = {
        "id": "nube/ñ",
        "campaña_id": "cmp-nube",
        "influencer_id": "inf-789",
        "usuario_id": "usr-101",
        "tipo_conversion": "VENTA",
        "valor": 150000.0,
        "moneda": "COP",
        "user_agent": "Mozilla/5.0...",
        "ip_address": "::ffff:192.168.1.1",
        "referrer": "no es una URL",
        "timestamp": "2024-01-15T10:35:00.123456-05:00",
        "cupon": "ENERO",
        "canal": "ig",
    }
    aceptada = servicio.http.post(
        "/tracking/conversiones", json=cuerpo, headers={"traceparent": TRAZA}
    ).json()
    leida = leer(servicio, "/tracking/conversiones/nube%2F%C3%B1").json()
    ((propiedades, campos),) = eventos(servicio, EVENTO_CONVERSION_REGISTRADA, "nube/ñ")

    registro = "com.alpespartners.tracking.v1.EventoConversionRegistrada"
    assert UUID(propiedades.pop("ce_id")).version == 5
    assert propiedades == {
        "ce_specversion": "1.0",
        "ce_source": "/alpespartners/tracking",
        "ce_type": registro,
        "ce_time": leida["registrado_en"],
        "ce_subject": "nube/ñ",
        "ce_datacontenttype": "application/avro",
        "ce_dataschema": ESQUEMAS[EVENTO_CONVERSION_REGISTRADA].ce_dataschema,
        "traceparent": TRAZA,
    }
    assert propiedades["ce_dataschema"].partition("#")[0] == f"urn:avro:{registro}"
    assert campos.pop("tipo_mensaje") == "EventoConversionRegistrada"
    assert campos.pop("valor") == Decimal(str(leida.pop("valor"))) == Decimal(150000)
    campos["campaña_id"] = campos.pop("campana_id")
    campos["lectura"]["señales"] = campos["lectura"].pop("senales")
    for instante in ("timestamp", "recibido_en", "ocurrido_en", "registrado_en"):
        campos[instante] = campos[instante].isoformat().replace("+00:00", "Z")
    assert campos == leida
    assert leida["cupon"] == "ENERO"
    assert leida["comando_id"] == aceptada["comando_id"]
    assert leida["advertencias"] == ["campo_desconocido:canal", "referrer_ilegible"]

    (mensaje,) = [
        m
        for m in mensajes_del_topico(servicio.datos, EVENTO_CONVERSION_REGISTRADA)
        if m.properties()["ce_subject"] == "nube/ñ"
    ]
    assert mensaje.partition_key() == "cmp-nube"


def test_un_comando_lleva_su_identidad_su_id_por_clave_y_la_hora_en_que_se_recibio(
    servicio: Instalacion,
) -> None:
    aceptada = enviar(servicio, "impresiones", id="comando").json()
    leida = leer(servicio, "/tracking/impresiones/comando").json()
    (mensaje,) = [
        m
        for m in mensajes_del_topico(servicio.datos, COMANDO_REGISTRAR_IMPRESION)
        if m.properties().get("ce_id") == aceptada["comando_id"]
    ]
    assert mensaje.partition_key() == "comando"
    assert UUID(mensaje.properties()["ce_id"]).version == 7
    assert mensaje.properties()["ce_time"] == leida["recibido_en"]
    assert mensaje.properties()["ce_type"] == "com.alpespartners.tracking.v1.ComandoRegistrarImpresion"
    assert mensaje.properties()["ce_subject"] == "comando"


def test_lo_registrado_dice_de_donde_vino_y_si_es_de_un_robot(servicio: Instalacion) -> None:
    suyos = {
        "tipo_evento": "CLIC",
        "user_agent": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
        "ip_address": "190.24.1.1",
        "referrer": "https://l.instagram.com/",
    }
    enviar(servicio, "impresiones", id="vista-previa", **suyos)
    lectura = leer(servicio, "/tracking/impresiones/vista-previa").json()["lectura"]
    assert (lectura["red"], lectura["pais"], lectura["bot"]) == ("instagram", "CO", True)
    assert (lectura["señales"], lectura["clase"]) == (["agente_de_vista_previa"], "BOT")


def test_otro_servicio_puede_publicar_un_comando_sin_propiedades_ni_clave(servicio: Instalacion) -> None:
    comando = replace(IMPRESION, id="ajeno", recibido_en=None, advertencias=("la suya",))
    carga = carga_del_primero(comando)
    publicar(servicio.datos, COMANDO_REGISTRAR_IMPRESION, carga, {}, None)
    leida = leer(servicio, "/tracking/impresiones/ajeno").json()
    assert leida["campaña_id"] == "cmp-456"
    assert leida["advertencias"] == ["la suya", "recibido_en_sustituido"]
    assert UUID(leida["comando_id"]).version == 5
    assert len(eventos(servicio, EVENTO_IMPRESION_REGISTRADA, "ajeno")) == 1


def test_lo_ilegible_acaba_en_su_destino_y_en_las_cartas_muertas_y_sus_vecinos_se_registran(
    servicio: Instalacion,
) -> None:
    impresion = carga_del_primero(replace(IMPRESION, id="vecina"))
    ilegibles = [
        (COMANDO_REGISTRAR_IMPRESION, b"\x00basura", "basura"),
        (COMANDO_REGISTRAR_CONVERSION, impresion, "impresion entre conversiones"),
        (COMANDO_REGISTRAR_IMPRESION, impresion + b"\x00", "sobran octetos"),
        (COMANDO_REGISTRAR_IMPRESION, None, "sin valor"),
    ]
    for numero, (topico, carga, clave) in enumerate(ilegibles):
        clase = "impresiones" if topico == COMANDO_REGISTRAR_IMPRESION else "conversiones"
        enviar(servicio, clase, id=f"vecino-{numero}")
        publicar(servicio.datos, topico, carga, {"ce_id": f"ilegible-{numero}", "suya": "sí"}, clave)
        enviar(servicio, clase, id=f"vecino-{numero}-bis")
        for vecino in (f"vecino-{numero}", f"vecino-{numero}-bis"):
            leer(servicio, f"/tracking/{clase}/{vecino}")

    consulta = (
        "SELECT topico, comando_id, evento_id FROM destinos"
        " WHERE comando_id LIKE 'ilegible-%' ORDER BY comando_id"
    )
    anotados: list[Any] = hasta(lambda: _si_son(len(ilegibles), sql(servicio.datos, consulta)))
    assert anotados == [(topico, f"ilegible-{n}", clave) for n, (topico, _, clave) in enumerate(ilegibles)]
    cartas = hasta(lambda: _si_estan_las_cartas(servicio, len(ilegibles)), 30, 0.2)
    assert {ce_id: carta.data() for ce_id, carta in cartas.items()} == {
        f"ilegible-{numero}": carga or b"" for numero, (_, carga, _) in enumerate(ilegibles)
    }
    for carta in cartas.values():
        assert carta.properties()["suya"] == "sí"
        assert carta.properties()["alpes_detalle"] != ""
    assert servicio.http.get("/tracking/conversiones/vecina").status_code == 404


def _si_estan_las_cartas(servicio: Instalacion, cuantas: int) -> dict[str, Any] | None:
    cartas = {
        carta.properties()["ce_id"]: carta
        for topico in (CARTAS_DE_IMPRESIONES, CARTAS_DE_CONVERSIONES)
        for carta in mensajes_del_topico(servicio.datos, topico)
        if carta.properties()["ce_id"].startswith("ilegible-")
    }
    return cartas if len(cartas) == cuantas else None


def test_las_peticiones_no_abren_conexiones_con_el_broker(servicio: Instalacion) -> None:
    broker = json.loads((servicio.datos / "broker.json").read_text(encoding="utf-8"))
    antes = conexiones(broker["pid"], broker["puerto"])
    assert antes > 0
    for numero in range(30):
        enviar(servicio, "impresiones", id=f"conexion-{numero}")
        enviar(servicio, "conversiones", id=f"conexion-{numero}")
    leer(servicio, "/tracking/conversiones/conexion-29")
    assert conexiones(broker["pid"], broker["puerto"]) <= antes


def test_la_salida_de_los_procesos_no_lleva_datos_de_nadie_ni_los_accesos_de_uvicorn(
    servicio: Instalacion,
) -> None:
    marcas = {
        "id": "id-marcado",
        "campaña_id": "campaña-marcada",
        "influencer_id": "influencer-marcado",
        "usuario_id": "usuario-marcado",
        "user_agent": "AgenteMarcado/9.9",
        "ip_address": "203.0.113.77",
        "referrer": "https://procedencia-marcada.example/?q=marcada",
        "propiedades": {"clave-marcada": "valor-marcado"},
    }
    respuesta = servicio.http.post(
        "/tracking/impresiones", json=marcas, headers={"User-Agent": "Otro-marcado"}
    )
    assert respuesta.status_code == 202
    leer(servicio, "/tracking/impresiones/id-marcado")
    enviar(servicio, "impresiones", **(marcas | {"usuario_id": "otro-marcado"}))
    publicar(servicio.datos, COMANDO_REGISTRAR_IMPRESION, b"marcada", {"ce_id": "ce-marcado"}, "id-marcado")
    consulta = "SELECT estado FROM destinos WHERE evento_id = 'id-marcado' ORDER BY estado"
    estados: list[Any] = hasta(lambda: _si_son(2, sql(servicio.datos, consulta)))
    assert estados == [("ILEGIBLE",), ("RECHAZADA",)]
    assert servicio.http.post("/tracking/conversiones", json={"moneda": "marcada"}).status_code == 422
    assert servicio.http.get("/tracking/marcada?consulta=marcada").status_code == 404
    assert servicio.http.get("/tracking/campañas/campaña-marcada/impresiones").status_code == 200

    salida = servicio.salidas / "salida-0.log"
    hasta(lambda: "conflicto_de_id" in salida.read_text(encoding="utf-8"))
    for archivo in (salida, servicio.datos / "broker" / "registro.log"):
        texto = archivo.read_text(encoding="utf-8")
        assert [linea for linea in texto.splitlines() if "marcad" in linea.lower()] == []
        assert "203.0.113.77" not in texto
    assert "/tracking/impresiones/{id}" in salida.read_text(encoding="utf-8")
    assert "HTTP/1.1" not in salida.read_text(encoding="utf-8")
