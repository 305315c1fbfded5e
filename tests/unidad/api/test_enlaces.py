"""`/tracking/enlaces`: hacerlos, verlos, cambiarlos y firmar otro destino; y el clic de una conversión."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx2
import pytest

from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.enlaces.aplicacion.edicion import LONGITUD_ASIGNADA
from alpespartners.modulos.enlaces.aplicacion.faltas import CAMPOS_MAXIMOS
from alpespartners.modulos.enlaces.dominio.clic import acuñar
from alpespartners.modulos.enlaces.dominio.destino_firmado import DestinoNegado, destino_firmado
from alpespartners.modulos.tracking.dominio.contenido import Contenido
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from tests.apoyo.claves import AHORA as AHORA_DE_LAS_CLAVES
from tests.apoyo.claves import ClavesEnMemoria
from tests.apoyo.memoria import AHORA, SECRETOS, PuertosEnMemoria, api_en_memoria, cliente_de

RUTA = "/tracking/enlaces"
JUAN: Mapping[str, Any] = {
    "enlace_id": "juan",
    "campaña_id": "cmp-456",
    "influencer_id": "inf-789",
    "destino": "https://Tienda.com/zapatos?color=rojo#a",
    "cupon": "JUAN10",
    "dominios_permitidos": ["*.tienda.com"],
    "vence_en": "2027-01-01T00:00:00-05:00",
}


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncGenerator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos)) as suyo:
        yield suyo


def faltas(respuesta: httpx2.Response) -> dict[str, str]:
    assert respuesta.status_code == 422
    return {falta["campo"]: falta["codigo"] for falta in respuesta.json()["errores"]}


async def test_el_que_se_crea_dice_su_enlace_entero_y_se_lee_igual(cliente: httpx2.AsyncClient) -> None:
    creado = await cliente.post(RUTA, json=JUAN)
    assert creado.status_code == 201
    assert creado.headers["Location"] == f"{RUTA}/juan"
    assert creado.json() == {
        **JUAN,
        "destino": "https://tienda.com/zapatos?color=rojo#a",
        "parametro_clic": "alp_clic",
        "vence_en": "2027-01-01T05:00:00Z",
        "creado_en": AHORA.isoformat().replace("+00:00", "Z"),
        "enlace": "http://127.0.0.1:8000/c/juan",
    }
    leido = await cliente.get(f"{RUTA}/juan")
    assert (leido.status_code, leido.json()) == (200, creado.json())


async def test_repetirlo_igual_es_un_200_y_con_otro_contenido_un_409(
    puertos: PuertosEnMemoria, cliente: httpx2.AsyncClient
) -> None:
    creado = await cliente.post(RUTA, json=JUAN)
    repetido = await cliente.post(RUTA, json={**JUAN, "campana_id": JUAN["campaña_id"]})
    assert (repetido.status_code, repetido.json()) == (200, creado.json())
    otro = await cliente.post(RUTA, json={**JUAN, "destino": "https://mal.com/"})
    assert otro.status_code == 409
    assert otro.json()["type"] == "urn:alpespartners:error:enlace_existente"
    assert puertos.enlaces.guardados["juan"].destino == creado.json()["destino"]


async def test_sin_nombre_se_le_asigna_uno_corto_y_cada_vez_otro(cliente: httpx2.AsyncClient) -> None:
    pedido = {"campaña_id": "cmp-1", "destino": "https://tienda.com"}
    nombres = [(await cliente.post(RUTA, json=pedido)).json()["enlace_id"] for _ in range(2)]
    assert nombres[0] != nombres[1]
    assert {len(nombre) for nombre in nombres} == {LONGITUD_ASIGNADA}


async def test_todas_las_faltas_van_juntas_y_ninguna_repite_lo_que_vino(
    puertos: PuertosEnMemoria, cliente: httpx2.AsyncClient
) -> None:
    respuesta = await cliente.post(
        RUTA,
        json={
            "enlace_id": "a/b",
            "campana_id": "cmp-\u200b1",
            "influencer_id": 7,
            "destino": "https://ana:secreta@tienda.com",
            "dominios_permitidos": "tienda.com",
            "vence_en": "mañana",
            "creado_en": "2026-01-01T00:00:00Z",
            "destion": "https://tienda.com",
        },
    )
    assert faltas(respuesta) == {
        "enlace_id": "valor_no_permitido",
        "campaña_id": "caracter_invisible",
        "influencer_id": "tipo_incorrecto",
        "destino": "valor_no_permitido",
        "dominios_permitidos": "tipo_incorrecto",
        "vence_en": "timestamp_ilegible",
        "creado_en": "campo_reservado",
        "destion": "campo_desconocido",
    }
    assert "secreta" not in respuesta.text
    assert "¿quiso decir destino?" in respuesta.text
    assert puertos.enlaces.guardados == {}


@pytest.mark.parametrize("cuerpo", ["[]", '"a"', "7", "null"])
async def test_lo_que_no_es_un_objeto_no_vale(cliente: httpx2.AsyncClient, cuerpo: str) -> None:
    respuesta = await cliente.post(RUTA, content=cuerpo, headers={"Content-Type": "application/json"})
    assert faltas(respuesta) == {"": "tipo_incorrecto"}


@pytest.mark.parametrize(
    ("metodo", "ruta"), [("POST", RUTA), ("PATCH", f"{RUTA}/juan"), ("POST", f"{RUTA}/juan/firma")]
)
async def test_de_un_cuerpo_con_demasiados_campos_no_se_mira_ninguno(
    cliente: httpx2.AsyncClient, metodo: str, ruta: str
) -> None:
    await cliente.post(RUTA, json=JUAN)
    sobran = {f"sobra{numero}": 1 for numero in range(CAMPOS_MAXIMOS + 1)}
    assert faltas(await cliente.request(metodo, ruta, json=sobran)) == {"": "longitud_excedida"}


async def test_el_mismo_campo_con_dos_grafias_solo_vale_si_dice_lo_mismo(cliente: httpx2.AsyncClient) -> None:
    assert faltas(await cliente.post(RUTA, json={**JUAN, "campana_id": "otra"})) == {
        "campaña_id": "campo_repetido"
    }
    assert faltas(await cliente.post(RUTA, json={"campana_id": "otra", **JUAN})) == {
        "campaña_id": "campo_repetido"
    }


async def test_un_cambio_de_otro_tipo_dice_cuales_se_admiten_en_un_patch(cliente: httpx2.AsyncClient) -> None:
    negado = await cliente.patch(f"{RUTA}/juan", content=b"{}", headers={"Content-Type": "text/plain"})
    assert negado.status_code == 415
    assert negado.headers["Accept-Patch"] == "application/merge-patch+json, application/json"
    assert "Accept-Post" not in negado.headers


@pytest.mark.parametrize("tipo", ["application/json", "application/merge-patch+json"])
async def test_cambiar_deja_lo_que_no_se_dice_y_null_quita(cliente: httpx2.AsyncClient, tipo: str) -> None:
    creado = (await cliente.post(RUTA, json=JUAN)).json()
    cambiado = await cliente.patch(
        f"{RUTA}/juan",
        content='{"destino":"https://otra.com","cupon":null,"vence_en":null,"dominios_permitidos":null}',
        headers={"Content-Type": tipo},
    )
    assert cambiado.status_code == 200
    assert cambiado.json() == {
        **creado,
        "destino": "https://otra.com",
        "cupon": None,
        "vence_en": None,
        "dominios_permitidos": [],
    }
    assert (await cliente.get(f"{RUTA}/juan")).json() == cambiado.json()
    assert (await cliente.patch(f"{RUTA}/juan", json={})).json() == cambiado.json()


async def test_lo_que_no_cambia_solo_se_puede_repetir(cliente: httpx2.AsyncClient) -> None:
    creado = (await cliente.post(RUTA, json=JUAN)).json()
    iguales = {nombre: creado[nombre] for nombre in ("enlace_id", "campaña_id", "influencer_id")}
    assert (await cliente.patch(f"{RUTA}/juan", json=iguales)).json() == creado
    distintos = {
        "enlace_id": "ana",
        "campana_id": "otra",
        "influencer_id": None,
        "parametro_clic": "cid",
        "destino": None,
    }
    respuesta = await cliente.patch(f"{RUTA}/juan", json=distintos)
    assert faltas(respuesta) == {
        "enlace_id": "valor_no_permitido",
        "campaña_id": "valor_no_permitido",
        "influencer_id": "valor_no_permitido",
        "parametro_clic": "valor_no_permitido",
        "destino": "requerido",
    }
    assert (await cliente.get(f"{RUTA}/juan")).json() == creado


async def test_al_cambiarlo_el_destino_tampoco_puede_traer_el_parametro_del_clic(
    cliente: httpx2.AsyncClient,
) -> None:
    await cliente.post(RUTA, json={**JUAN, "parametro_clic": "cid"})
    respuesta = await cliente.patch(f"{RUTA}/juan", json={"destino": "https://tienda.com/?c%69d=el-de-otro"})
    assert faltas(respuesta) == {"destino": "valor_no_permitido"}


async def test_el_que_no_existe_es_un_404(cliente: httpx2.AsyncClient) -> None:
    assert (await cliente.get(f"{RUTA}/nadie")).status_code == 404
    assert (await cliente.patch(f"{RUTA}/nadie", json={})).status_code == 404
    firma = await cliente.post(f"{RUTA}/nadie/firma", json={"destino": "https://a.tienda.com"})
    assert firma.status_code == 404


async def test_la_lista_va_por_paginas_que_se_enlazan(cliente: httpx2.AsyncClient) -> None:
    for nombre in ("a", "b", "c"):
        await cliente.post(RUTA, json={**JUAN, "enlace_id": nombre})
    await cliente.post(RUTA, json={**JUAN, "enlace_id": "d", "campaña_id": "otra"})
    primera = await cliente.get(RUTA, params={"campaña_id": "cmp-456", "limite": 2})
    assert [enlace["enlace_id"] for enlace in primera.json()["elementos"]] == ["c", "b"]
    siguiente = urlsplit(primera.headers["Link"].split(">")[0].strip("<"))
    segunda = await cliente.get(f"{siguiente.path}?{siguiente.query}")
    assert [enlace["enlace_id"] for enlace in segunda.json()["elementos"]] == ["a"]
    assert segunda.json()["siguiente"] is None
    ajeno = await cliente.get(RUTA, params={"cursor": primera.json()["siguiente"]})
    assert faltas(ajeno) == {"cursor": "cursor_invalido"}
    descargada = await cliente.get(RUTA, params={"formato": "csv"})
    assert len(descargada.text.splitlines()) == 5


@pytest.mark.parametrize("cursor", ["", "x", "WzFd", "WzEsImEiLDEsMV0", "e30"])
async def test_un_cursor_escrito_a_mano_es_una_falta(cliente: httpx2.AsyncClient, cursor: str) -> None:
    assert set(faltas(await cliente.get(RUTA, params={"cursor": cursor}))) == {"cursor"}


async def test_un_destino_firmado_es_el_que_admite_la_redireccion(
    puertos: PuertosEnMemoria, cliente: httpx2.AsyncClient
) -> None:
    await cliente.post(RUTA, json=JUAN)
    firmado = await cliente.post(
        f"{RUTA}/juan/firma",
        json={"destino": "https://A.tienda.com/botas?x=1&y=ñ#z", "vence_en": "2024-01-16T00:00:00.9Z"},
    )
    assert firmado.status_code == 200
    assert firmado.json()["vence_en"] == "2024-01-16T00:00:00Z"
    destino = firmado.json()["destino"]
    assert destino == "https://a.tienda.com/botas?x=1&y=%C3%B1#z"
    direccion = urlsplit(firmado.json()["enlace"])
    assert (direccion.netloc, direccion.path) == ("127.0.0.1:8000", "/c/juan")
    consulta = {nombre: valores[0] for nombre, valores in parse_qs(direccion.query).items()}
    enlace, secretos = puertos.enlaces.guardados["juan"], await SECRETOS.todos()

    def ir(**otros: str) -> str | DestinoNegado:
        return destino_firmado(enlace, **{**consulta, **otros}, secretos=secretos, ahora=AHORA)

    assert ir() == destino
    assert ir(destino="https://a.tienda.com/otras") is DestinoNegado.FIRMA_INVALIDA
    assert ir(vence="1805400000") is DestinoNegado.FIRMA_INVALIDA
    assert (
        destino_firmado(enlace, **consulta, secretos=secretos, ahora=datetime(2024, 1, 16, tzinfo=UTC))
        is DestinoNegado.FIRMA_INVALIDA
    )


async def test_sin_plazo_la_firma_vale_siempre(
    puertos: PuertosEnMemoria, cliente: httpx2.AsyncClient
) -> None:
    await cliente.post(RUTA, json=JUAN)
    firmado = await cliente.post(f"{RUTA}/juan/firma", json={"destino": "https://a.tienda.com/"})
    consulta = parse_qs(urlsplit(firmado.json()["enlace"]).query)
    assert set(consulta) == {"destino", "firma"}
    enlace, secretos = puertos.enlaces.guardados["juan"], await SECRETOS.todos()
    dentro_de_un_siglo = AHORA + timedelta(days=36_500)
    firma = consulta["firma"][0]
    assert (
        destino_firmado(enlace, "https://a.tienda.com/", firma, "", secretos, dentro_de_un_siglo)
        == "https://a.tienda.com/"
    )


@pytest.mark.parametrize(
    ("cuerpo", "esperadas"),
    [
        ({}, {"destino": "requerido"}),
        ({"destino": "https://mal.com"}, {"destino": "valor_no_permitido"}),
        ({"destino": "https://a.tienda.com/?alp_clic=x"}, {"destino": "valor_no_permitido"}),
        ({"destino": 7, "vence_en": 7}, {"destino": "tipo_incorrecto", "vence_en": "tipo_incorrecto"}),
        ({"destino": "ftp://a", "vence_en": "2024-01-15T10:36:00Z", "clave": "x"},
         {"destino": "valor_no_permitido", "vence_en": "valor_no_permitido", "clave": "campo_desconocido"}),
    ],
)  # fmt: skip
async def test_no_se_firma_lo_que_la_redireccion_no_admitiria(
    cliente: httpx2.AsyncClient, cuerpo: object, esperadas: Mapping[str, str]
) -> None:
    await cliente.post(RUTA, json=JUAN)
    assert faltas(await cliente.post(f"{RUTA}/juan/firma", json=cuerpo)) == esperadas


async def test_sin_base_de_datos_se_dice_que_se_repita(
    puertos: PuertosEnMemoria, cliente: httpx2.AsyncClient
) -> None:
    puertos.enlaces.disponible = False
    for respuesta in (
        await cliente.post(RUTA, json=JUAN),
        await cliente.get(RUTA),
        await cliente.get(f"{RUTA}/juan"),
        await cliente.patch(f"{RUTA}/juan", json={}),
    ):
        assert respuesta.status_code == 503
        assert "Retry-After" in respuesta.headers


async def test_detras_de_un_intermediario_el_enlace_es_el_que_ve_quien_pregunta(
    puertos: PuertosEnMemoria,
) -> None:
    async with cliente_de(api_en_memoria(puertos, claves=["clave"])) as cliente:
        creado = await cliente.post(
            RUTA,
            json=JUAN,
            headers={
                "Authorization": "Bearer clave",
                "Host": "go.tienda.com",
                "X-Forwarded-Proto": "https",
            },
        )
    assert creado.json()["enlace"] == "https://go.tienda.com/c/juan"


# Con una clave de unas campañas.


async def test_una_clave_con_campañas_solo_ve_y_hace_los_suyos(puertos: PuertosEnMemoria) -> None:
    claves = ClavesEnMemoria()
    de_todas = claves.crear("captura", "lectura")
    suya = claves.crear("captura", "lectura", campañas=["cmp-1"])
    guardadas = LlaveroGuardado(claves.leer, lambda: AHORA_DE_LAS_CLAVES)
    await guardadas.ponerse_al_dia()
    async with cliente_de(api_en_memoria(puertos, guardadas=guardadas), "203.0.113.9") as cliente:

        async def pedir(metodo: str, direccion: str, clave: str, **opciones: Any) -> httpx2.Response:
            cabeceras = {"Authorization": f"Bearer {clave}"}
            return await cliente.request(metodo, f"{RUTA}{direccion}", headers=cabeceras, **opciones)

        propio = {**JUAN, "enlace_id": "propio", "campaña_id": "cmp-1"}
        assert (await pedir("POST", "", de_todas, json=JUAN)).status_code == 201
        assert (await pedir("POST", "", suya, json=propio)).status_code == 201
        assert (await pedir("POST", "", suya, json={**JUAN, "enlace_id": "otro"})).status_code == 403
        firma = {"destino": "https://a.tienda.com"}
        for enlace_id, estado in (("propio", 200), ("juan", 404)):
            assert (await pedir("GET", f"/{enlace_id}", suya)).status_code == estado
            assert (await pedir("PATCH", f"/{enlace_id}", suya, json={"cupon": "x"})).status_code == estado
            assert (await pedir("POST", f"/{enlace_id}/firma", suya, json=firma)).status_code == estado
        suyos = await pedir("GET", "", suya, params={"campaña_id": "cmp-1"})
        assert [enlace["enlace_id"] for enlace in suyos.json()["elementos"]] == ["propio"]
        robado = await pedir("POST", "", suya, json={**propio, "enlace_id": "juan"})
        assert robado.status_code == 409
        assert "cmp-456" not in robado.text
    assert puertos.enlaces.guardados["juan"].cupon == "JUAN10"


# El clic de una conversión.


async def un_clic(hace: timedelta = timedelta(hours=1)) -> str:
    cuando = int((AHORA - hace).timestamp() * 1000)
    return acuñar("juan", (await SECRETOS.todos())[0], UUID(int=cuando << 80 | 7 << 76 | 2 << 62))


async def clic_de(cliente: httpx2.AsyncClient, clic_id: object, campaña_id: str = "cmp-1") -> object:
    enviada = await cliente.post(
        "/tracking/conversiones",
        json={"id": "v", "campaña_id": campaña_id, "tipo_conversion": "REGISTRO", "clic_id": clic_id},
    )
    assert enviada.status_code == 202
    respuesta = await cliente.get("/tracking/conversiones/v/clic")
    assert respuesta.status_code == 200
    return respuesta.json()


async def test_el_clic_que_llega_tarde_cambia_lo_que_se_dice_de_el(cliente: httpx2.AsyncClient) -> None:
    clic_id = await un_clic()
    assert await clic_de(cliente, clic_id) == {
        "clic_id": clic_id,
        "estado": "EN_ESPERA",
        "motivo": "clic_desconocido",
    }
    await cliente.post(
        "/tracking/impresiones", json={"id": clic_id, "campaña_id": "cmp-1", "tipo_evento": "CLIC"}
    )
    respuesta = await cliente.get("/tracking/conversiones/v/clic")
    assert respuesta.json() == {"clic_id": clic_id, "estado": "VALIDO", "motivo": None}


@pytest.mark.parametrize(
    ("tipo", "campaña_id", "motivo"),
    [
        ("CLIC", "cmp-2", "clic_de_otra_campaña"),
        ("IMPRESION", "cmp-1", "clic_desconocido"),
    ],
)
async def test_solo_vale_un_clic_y_de_su_campaña(
    cliente: httpx2.AsyncClient, tipo: str, campaña_id: str, motivo: str
) -> None:
    clic_id = await un_clic()
    await cliente.post(
        "/tracking/impresiones", json={"id": clic_id, "campaña_id": campaña_id, "tipo_evento": tipo}
    )
    respondido = await clic_de(cliente, clic_id)
    assert isinstance(respondido, dict)
    assert respondido["motivo"] == motivo


class _VeRobots:
    def leer(self, contenido: Contenido, señales: Sequence[str]) -> Lectura:  # noqa: ARG002 (es su puerto)
        return Lectura(reglas="1", bot=True, clase="BOT")


async def test_el_clic_de_un_robot_no_vale_y_se_dice(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.lector = _VeRobots()
    clic_id = await un_clic()
    clic = {"id": clic_id, "campaña_id": "cmp-1", "tipo_evento": "CLIC"}
    await cliente.post("/tracking/impresiones", json=clic)
    assert await clic_de(cliente, clic_id) == {
        "clic_id": clic_id,
        "estado": "NO_VALIDO",
        "motivo": "clic_bot",
    }


@pytest.mark.parametrize(
    ("clic_id", "dicho", "motivo"),
    [
        (None, None, "clic_ausente"),
        ("gclid-1", "gclid-1", "clic_ajeno"),
        ("x" * 200, "x" * 200, "clic_ajeno"),
    ],
)
async def test_de_lo_que_no_es_un_clic_se_dice_que_es(
    cliente: httpx2.AsyncClient, clic_id: object, dicho: str | None, motivo: str
) -> None:
    assert await clic_de(cliente, clic_id) == {"clic_id": dicho, "estado": "NO_VALIDO", "motivo": motivo}


async def test_el_clic_de_hace_mas_de_la_ventana_vencio(cliente: httpx2.AsyncClient) -> None:
    clic_id = await un_clic(timedelta(days=31))
    assert await clic_de(cliente, clic_id) == {
        "clic_id": clic_id,
        "estado": "NO_VALIDO",
        "motivo": "clic_vencido",
    }


async def test_de_una_conversion_que_no_esta_se_dice_donde_preguntar(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get("/tracking/conversiones/nadie/clic")
    assert respuesta.status_code == 404
    assert respuesta.json()["destino"] == "/tracking/conversiones/nadie/destino"
