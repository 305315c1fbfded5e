"""Los postbacks de una red: qué conversión es cada uno, y que ninguno se pierde ni cuenta dos veces."""

import re
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alpespartners.api.captura.postback.macros import es_macro
from alpespartners.api.captura.postback.puerta import PARAMETROS_MAXIMOS
from alpespartners.api.captura.postback.tabla import PROPIAS, TABLAS
from alpespartners.api.captura.postback.traduccion import entrada_de
from alpespartners.api.http.claves import Alcance, Clave, Dialecto
from alpespartners.modulos.tracking.aplicacion.clases import CONVERSIONES
from alpespartners.modulos.tracking.aplicacion.permisos import SIN_LIMITES, Permiso
from alpespartners.seedwork.cubo import Cubo
from tests.apoyo.llavero import LlaveroEnMemoria, clave_de
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.repositorio import RAIZ

CLAVE: Final = "alpes_k7m2xq9wfh3d_secreto"
DE_UNA: Final = "de-una-campaña"
SU_PERMISO: Final = Permiso(campañas=frozenset({"cmp-1"}), prefijo="red-")
LLAVERO: Final = LlaveroEnMemoria(
    {
        CLAVE: clave_de(Dialecto.POSTBACK),
        DE_UNA: clave_de(Dialecto.POSTBACK, SU_PERMISO),
        "de-segment": clave_de(Dialecto.SEGMENT),
        "propia": clave_de(None),
        "que-lee": Clave(alcances=frozenset({Alcance.LECTURA}), dialecto=Dialecto.POSTBACK),
    }
)
CAMPAÑA: Final = "&campaña_id=cmp-1&influencer_id=inf-1"


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return PuertosEnMemoria()


@pytest.fixture
async def cliente(puertos: PuertosEnMemoria) -> AsyncIterator[httpx2.AsyncClient]:
    async with cliente_de(api_en_memoria(puertos, llavero=LLAVERO)) as abierto:
        yield abierto


async def avisar(
    cliente: httpx2.AsyncClient, cual: str, *, clave: str = CLAVE, devuelto: str = "OK"
) -> tuple[str, str, str]:
    """Envía un postback (`keitaro?subid=…`), y devuelve cuántos se aceptaron, rechazaron e ignoraron."""
    separador = "&" if "?" in cual else "?"
    respuesta = await cliente.get(f"/tracking/postback/{cual}{separador}{urlencode({'clave': clave})}")
    assert respuesta.status_code == 200, respuesta.text
    assert respuesta.text == devuelto
    assert respuesta.headers["Content-Type"] == "text/plain; charset=utf-8"
    return (
        respuesta.headers["Alpes-Aceptados"],
        respuesta.headers["Alpes-Rechazados"],
        respuesta.headers["Alpes-Ignorados"],
    )


ACEPTADO, RECHAZADO, IGNORADO = ("1", "0", "0"), ("0", "1", "0"), ("0", "0", "1")


async def destino(cliente: httpx2.AsyncClient, id_evento: str | None) -> Any:
    """El último destino de ese `id`."""
    respuesta = await cliente.get(f"/tracking/conversiones/{id_evento}/destino")
    assert respuesta.status_code == 200, respuesta.text
    return respuesta.json()["destinos"][-1]


def unica(puertos: PuertosEnMemoria) -> Mapping[str, Any]:
    """La única conversión registrada."""
    (evento,) = puertos.registrado.libros[CONVERSIONES].eventos.values()
    campos: Mapping[str, Any] = evento.contenido.campos()
    return campos


@pytest.mark.parametrize(
    ("cual", "esperado"),
    [
        (
            (
                "alpes?clic_id=c1&id=v-1&valor=9.90&moneda=EUR&cupon=ANA10&usuario_id=u-1&tipo_conversion=registro"
                "&timestamp=2024-01-15T10:30:00Z&ip_address=203.0.113.9&referrer=https://a.example/&sub1=x"
            ),
            {
                "id": "v-1",
                "clic_id": "c1",
                "valor": "9.90",
                "moneda": "EUR",
                "cupon": "ANA10",
                "usuario_id": "u-1",
                "tipo_conversion": "REGISTRO",
                "propiedades": {"sub1": "x"},
            },
        ),
        (
            (
                "everflow?nid=123&transaction_id=5f2a&amount=150000.5&currency=COP&order_id=ped-1&coupon_code=ANA10"
                "&verification_token=secreto&adv1=norte"
            ),
            {
                "id": "ped-1",
                "clic_id": "5f2a",
                "valor": "150000.50",
                "moneda": "COP",
                "cupon": "ANA10",
                "tipo_conversion": "VENTA",
                "propiedades": {"nid": "123", "adv1": "norte"},
            },
        ),
        (
            (
                "tune?transaction_id=102f&conversion_unique_id=u-7&goal_id=3&amount=20&currency=USD&promo_code=ANA10"
                "&security_token=secreto&status=approved"
            ),
            {
                "id": "u-7",
                "clic_id": "102f",
                "valor": "20.00",
                "moneda": "USD",
                "cupon": "ANA10",
                "tipo_conversion": "VENTA",
                "propiedades": {"goal_id": "3", "status": "approved"},
            },
        ),
        (
            "voluum?cid=wABC&payout=1.5&txid=t-9&moneda=USD",
            {"id": "t-9", "clic_id": "wABC", "valor": "1.50", "moneda": "USD", "tipo_conversion": "VENTA"},
        ),
        (
            (
                "keitaro?subid=2k4&tid=52949935&payout=21.0&currency=usd&status=confirmed&from=red.example"
                "&lead_status=hold&sale_status=approved,confirmed&rejected_status=reject,trash"
            ),
            {
                "id": "52949935",
                "clic_id": "2k4",
                "valor": "21.00",
                "moneda": "USD",
                "tipo_conversion": "VENTA",
                "propiedades": {"status": "confirmed", "from": "red.example"},
            },
        ),
        (
            "binom?cnv_id=b1&payout=3&cnv_currency=EUR&cnv_status=sale&cnv_status2=x",
            {"clic_id": "b1", "valor": "3.00", "moneda": "EUR", "tipo_conversion": "VENTA"},
        ),
    ],
    ids=lambda valor: valor.partition("?")[0] if isinstance(valor, str) else "",
)
async def test_el_postback_de_cada_red_es_esta_conversion(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cual: str, esperado: Mapping[str, Any]
) -> None:
    assert await avisar(cliente, cual + CAMPAÑA) == ACEPTADO
    hallada = unica(puertos)
    hallados = {
        campo: dict(hallada[campo]) if campo == "propiedades" else str(hallada[campo]) for campo in esperado
    }
    assert hallados == esperado
    assert (hallada["campaña_id"], hallada["influencer_id"]) == ("cmp-1", "inf-1")


REINTENTADOS: Final = [
    "alpes?clic_id=c1&valor=9&moneda=EUR",
    "everflow?transaction_id=c1&amount=9&moneda=EUR",
    "everflow?transaction_id=c1&amount=9&moneda=EUR&order_id=p1&event_id=7",
    "tune?transaction_id=c1&amount=9&moneda=EUR&goal_id=2",
    "voluum?cid=c1&payout=9&moneda=EUR&et=deposito",
    "keitaro?subid=c1&payout=9&currency=EUR&status=sale",
    "binom?cnv_id=c1&payout=9&cnv_currency=EUR",
]


@pytest.mark.parametrize("cual", REINTENTADOS)
async def test_un_reintento_no_cuenta_otra_vez_aunque_la_red_no_diga_que_conversion_es(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cual: str
) -> None:
    for _ in range(3):
        assert await avisar(cliente, cual + CAMPAÑA) == ACEPTADO
    suya = await destino(cliente, unica(puertos)["id"])
    assert suya["estado"] == "DUPLICADA"


@pytest.mark.parametrize(
    ("cual", "otro"),
    [
        ("everflow?transaction_id=c1&amount=9&moneda=EUR&order_id=p1", "&event_id=7"),
        ("tune?transaction_id=c1&amount=9&moneda=EUR&goal_id=1", "&goal_ref=2"),
        ("voluum?cid=c1&payout=9&moneda=EUR&txid=t1", "&et=deposito"),
        ("keitaro?subid=c1&payout=9&currency=EUR&status=sale", "&tid=2"),
        ("binom?cnv_id=c1&payout=9&cnv_currency=EUR", "&tipo_conversion=REGISTRO"),
    ],
)
async def test_otra_cosa_lograda_con_el_mismo_clic_es_otra_conversion(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, cual: str, otro: str
) -> None:
    distinta = cual.replace("&goal_id=1", "") + otro
    assert await avisar(cliente, cual + CAMPAÑA) == ACEPTADO
    assert await avisar(cliente, distinta + CAMPAÑA) == ACEPTADO
    assert len(puertos.registrado.libros[CONVERSIONES].eventos) == 2


async def test_el_objetivo_de_siempre_no_hace_otra_conversion(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cual = f"everflow?transaction_id=c1&amount=9&moneda=EUR&order_id=p1{CAMPAÑA}"
    assert await avisar(cliente, cual) == ACEPTADO
    assert await avisar(cliente, f"{cual}&event_id=0") == ACEPTADO
    assert unica(puertos)["id"] == "p1"


async def test_el_id_que_se_dice_con_nuestro_nombre_vale_tal_cual(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cual = f"everflow?transaction_id=c1&id=v1&order_id=p1&event_id=7&amount=9&moneda=EUR{CAMPAÑA}"
    assert await avisar(cliente, cual) == ACEPTADO
    assert unica(puertos)["id"] == "v1"


async def test_un_reintento_con_otro_importe_no_cuenta_y_consta_que_choca(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    await avisar(cliente, f"voluum?cid=c1&payout=9&moneda=EUR{CAMPAÑA}")
    await avisar(cliente, f"voluum?cid=c1&payout=10&moneda=EUR{CAMPAÑA}")
    suya = await destino(cliente, unica(puertos)["id"])
    assert (suya["estado"], suya["motivo"]) == ("RECHAZADA", "conflicto_de_id")


@pytest.mark.parametrize(
    ("cual", "esperado"),
    [
        ("alpes?id=v1&estado=aprobada", ACEPTADO),
        ("alpes?id=v1&estado=rechazada", IGNORADO),
        ("everflow?order_id=v1&status=rejected", IGNORADO),
        ("tune?conversion_unique_id=v1&status=pending", IGNORADO),
        ("keitaro?tid=v1&status=lead", IGNORADO),
        ("keitaro?tid=v1&status=REJECTED", IGNORADO),
        ("keitaro?tid=v1&status=ping", IGNORADO),
        ("keitaro?tid=v1&status=hold&lead_status=hold", IGNORADO),
        ("keitaro?tid=v1&status=hold&lead_status=hold&estados=lead:REGISTRO", ACEPTADO),
        ("keitaro?tid=v1&status=Paid&estados=paid:venta,sale:-", ACEPTADO),
        ("keitaro?tid=v1&status=sale&estados=paid:venta,sale:-", IGNORADO),
        ("keitaro?tid=v1&status=test&ignore_status=test&cupon={cupon}", IGNORADO),
        ("binom?id=v1&cnv_status=trash", IGNORADO),
        ("keitaro?tid=v1&status=sale&estados=paid", RECHAZADO),
        ("keitaro?tid=v1&status=sale&estados=paid:COMPRA", RECHAZADO),
        ("keitaro?tid=v1&status=sale&estados=" + ",".join(f"e{n}:VENTA" for n in range(33)), RECHAZADO),
    ],
)
async def test_solo_cuenta_el_estado_de_una_conversion_y_lo_demas_consta(
    cliente: httpx2.AsyncClient, cual: str, esperado: tuple[str, str, str]
) -> None:
    assert await avisar(cliente, f"{cual}&valor=9&moneda=EUR{CAMPAÑA}") == esperado
    suyo = await destino(cliente, "v1")
    if esperado == IGNORADO:
        assert (suyo["estado"], suyo["motivo"]) == ("IGNORADA", "estado_que_no_cuenta")
    elif esperado == RECHAZADO:
        assert suyo["campos"] == ["estados"]
    else:
        assert suyo["estado"] == "REGISTRADA"


async def test_lo_que_esperaba_se_registra_al_aprobarse_con_el_mismo_id(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cual = f"keitaro?subid=c1&tid=v1&payout=9&currency=EUR{CAMPAÑA}"
    assert await avisar(cliente, f"{cual}&status=lead") == IGNORADO
    assert await avisar(cliente, f"{cual}&status=sale") == ACEPTADO
    assert unica(puertos)["id"] == "v1"


@pytest.mark.parametrize("macro", ["{payout}", "{{payout}}", "%payout%", "[PAYOUT]", "{offer:id}", "x-{id}"])
@pytest.mark.parametrize(
    ("parametro", "campo"),
    [
        ("payout", "valor"),
        ("tid", "id"),
        ("currency", "moneda"),
        ("campaña_id", "campaña_id"),
        ("status", "estado"),
    ],
)
async def test_una_macro_sin_reemplazar_en_lo_que_decide_se_rechaza_y_dice_en_que_parametro(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, parametro: str, campo: str, macro: str
) -> None:
    dichos = {"subid": "c1", "tid": "v1", "payout": "9", "currency": "EUR", "campaña_id": "cmp-1"}
    assert await avisar(cliente, "keitaro?" + urlencode({**dichos, parametro: macro})) == RECHAZADO
    ((comando, _, _),) = puertos.publicados
    suyo = await destino(cliente, comando.id)
    assert (suyo["motivo"], suyo["campos"]) == ("macro_sin_reemplazar", [campo])
    assert f"«{parametro}»" in suyo["detalle"]
    assert macro not in suyo["detalle"]


async def test_por_una_macro_en_su_clic_o_en_lo_que_sobra_no_se_rechaza_y_se_advierte(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    cual = "everflow?transaction_id={transaction_id}&order_id=p1&amount=9&moneda=EUR&sub1=%7Bsub1%7D"
    assert await avisar(cliente, cual + CAMPAÑA) == ACEPTADO
    suya = unica(puertos)
    assert suya["clic_id"] is None
    assert suya["propiedades"] == {"transaction_id": "{transaction_id}", "sub1": "{sub1}"}
    ((comando, _, _),) = puertos.publicados
    assert list(comando.advertencias) == [
        "macro_sin_reemplazar:transaction_id",
        "macro_sin_reemplazar:sub1",
    ]


async def test_sin_id_y_con_la_macro_del_clic_se_rechaza_porque_todas_parecerian_la_misma(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert await avisar(cliente, "voluum?cid={clickid}&payout=9&moneda=EUR" + CAMPAÑA) == RECHAZADO
    ((comando, _, _),) = puertos.publicados
    suyo = await destino(cliente, comando.id)
    assert (suyo["motivo"], suyo["campos"]) == ("macro_sin_reemplazar", ["id"])


async def test_sin_id_y_con_dos_clics_se_rechaza_porque_un_reintento_contaria_otra_vez(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert await avisar(cliente, "voluum?cid=c1&cid=c2&payout=9&moneda=EUR" + CAMPAÑA) == RECHAZADO
    ((comando, _, _),) = puertos.publicados
    suyo = await destino(cliente, comando.id)
    assert (suyo["motivo"], suyo["campos"]) == ("campo_repetido", ["id"])
    assert await avisar(cliente, "voluum?cid=c1&cid=c2&txid=t1&payout=9&moneda=EUR" + CAMPAÑA) == ACEPTADO


@pytest.mark.parametrize("valor", ["%7Bclickid%7D", "%7b%7bid%7d%7d", "%25payout%25", "%5BID%5D"])
def test_una_macro_codificada_dos_veces_sigue_siendo_una_macro(valor: str) -> None:
    assert es_macro(valor)


@pytest.mark.parametrize("valor", ["12.5", "a[0]", "50%", "100%25%", "{}", "{ }", "[1]", "{1}", "%41%"])
def test_lo_que_no_nombra_nada_no_es_una_macro(valor: str) -> None:
    assert not es_macro(valor)


@pytest.mark.parametrize(
    ("dicho", "motivo", "campos"),
    [
        ("valor=150.000&moneda=COP", "valor_ambiguo", ["valor"]),
        ("valor=12,50&moneda=EUR", "valor_ilegible", ["valor"]),
        ("valor=-9&moneda=EUR", "valor_negativo", ["valor"]),
        ("valor=9", "requerido", ["moneda"]),
        ("valor=9&moneda=XXX", "moneda_desconocida", ["moneda"]),
        ("valor=9&valor=10&moneda=EUR", "campo_repetido", ["valor"]),
        ("tipo_conversion=COMPRA", "valor_no_permitido", ["tipo_conversion"]),
    ],
)
async def test_un_importe_y_un_tipo_se_juzgan_con_las_reglas_de_siempre_y_el_rechazo_consta(
    cliente: httpx2.AsyncClient, dicho: str, motivo: str, campos: list[str]
) -> None:
    assert await avisar(cliente, f"alpes?id=v1&{dicho}{CAMPAÑA}") == RECHAZADO
    suyo = await destino(cliente, "v1")
    assert (suyo["motivo"], suyo["campos"]) == (motivo, campos)


async def test_lo_que_no_trae_importe_es_de_otro_tipo_y_no_una_venta(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert await avisar(cliente, f"voluum?cid=c1&txid=t1&payout={CAMPAÑA}") == ACEPTADO
    assert unica(puertos)["tipo_conversion"] == "OTRA"


async def test_la_campaña_es_la_que_se_dice_la_de_la_oferta_o_la_unica_de_la_clave(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert await avisar(cliente, "everflow?order_id=a&offer_id=7&affid=9&campana_id=cmp-2") == ACEPTADO
    assert await avisar(cliente, "everflow?order_id=b&oid=7&affid=9") == ACEPTADO
    assert await avisar(cliente, "voluum?txid=c", clave=DE_UNA) == ACEPTADO
    hallados = {
        evento.contenido.id: (evento.contenido.campaña_id, evento.contenido.influencer_id)
        for evento in puertos.registrado.libros[CONVERSIONES].eventos.values()
    }
    assert hallados == {"a": ("cmp-2", "9"), "b": ("7", "9"), "red-c": ("cmp-1", None)}


async def test_sin_campaña_o_de_una_que_no_es_de_la_clave_se_rechaza(cliente: httpx2.AsyncClient) -> None:
    assert await avisar(cliente, "voluum?txid=v1") == RECHAZADO
    assert (await destino(cliente, "v1"))["campos"] == ["campaña_id"]
    assert await avisar(cliente, "voluum?txid=v2&campaña_id=cmp-2", clave=DE_UNA) == RECHAZADO
    assert (await destino(cliente, "red-v2"))["motivo"] == "sin_permiso"


@pytest.mark.parametrize(
    ("pedido", "devuelto"),
    [
        ("keitaro?return=SUCCESS_1", "SUCCESS_1"),
        ("voluum?devolver=1", "1"),
        ("voluum?return=SUCCESS", "OK"),
        ("voluum?devolver=ok", "OK"),
        ("voluum?devolver=%3Cscript%3E", "OK"),
        ("voluum?devolver=" + "A" * 17, "OK"),
        ("voluum?devolver=A&devolver=B", "OK"),
        ("voluum?devolver=A%0A", "OK"),
    ],
)
async def test_se_devuelve_lo_que_se_pide_si_no_puede_hacer_daño(
    cliente: httpx2.AsyncClient, pedido: str, devuelto: str
) -> None:
    assert await avisar(cliente, pedido + CAMPAÑA, devuelto=devuelto) == ACEPTADO


async def test_sin_nada_en_el_cuerpo_da_igual_de_que_tipo_se_diga(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    respuesta = await cliente.post(
        f"/tracking/postback/voluum?clave={CLAVE}&cid=c1&payout=9&moneda=EUR{CAMPAÑA}",
        headers={"Content-Type": "application/json", "Content-Length": "0"},
    )
    assert respuesta.status_code == 200, respuesta.text
    assert unica(puertos)["clic_id"] == "c1"


async def test_en_un_formulario_es_lo_mismo_que_en_la_url(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    en_la_url = await cliente.post(
        f"/tracking/postback/voluum?cid=c1&payout=9&moneda=EUR{CAMPAÑA}",
        headers={"Authorization": f"Bearer {CLAVE}"},
    )
    formulario = {
        "clave": CLAVE,
        "payout": "9",
        "moneda": "EUR",
        "campaña_id": "cmp-1",
        "influencer_id": "inf-1",
    }
    en_los_dos = await cliente.post("/tracking/postback/voluum?cid=c1", data=formulario)
    assert (en_la_url.status_code, en_los_dos.status_code) == (200, 200)
    assert len(puertos.publicados) == 2
    assert (await destino(cliente, unica(puertos)["id"]))["estado"] == "DUPLICADA"


@pytest.mark.parametrize(
    ("clave", "estado"),
    [("", 401), ("otra", 401), ("propia", 403), ("de-segment", 403), ("que-lee", 403)],
)
async def test_sin_una_clave_de_postback_que_deje_enviar_no_se_registra_nada(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, clave: str, estado: int
) -> None:
    direccion = f"/tracking/postback/voluum?txid=v1{CAMPAÑA}"
    por_la_url = await cliente.get(f"{direccion}&{urlencode({'clave': clave})}")
    por_la_cabecera = await cliente.get(direccion, headers={"Authorization": f"Bearer {clave}"})
    en_el_cuerpo = await cliente.post(direccion, data={"clave": clave})
    for respuesta in (por_la_url, por_la_cabecera, en_el_cuerpo):
        assert respuesta.status_code == estado
    assert puertos.publicados == []


async def test_dos_claves_en_la_url_no_son_ninguna(cliente: httpx2.AsyncClient) -> None:
    respuesta = await cliente.get(f"/tracking/postback/voluum?clave={CLAVE}&clave=otra&txid=v1{CAMPAÑA}")
    assert respuesta.status_code == 401


async def test_mientras_no_hay_una_clave_de_postback_la_direccion_no_existe(
    puertos: PuertosEnMemoria,
) -> None:
    llavero = LlaveroEnMemoria({"propia": clave_de(None)})
    async with cliente_de(api_en_memoria(puertos, llavero=llavero)) as cliente:
        assert (await cliente.get("/tracking/postback/voluum?clave=propia")).status_code == 404


async def test_un_dialecto_que_no_hay_no_existe(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    assert (await cliente.get(f"/tracking/postback/otra?clave={CLAVE}&id=v1{CAMPAÑA}")).status_code == 404
    assert puertos.publicados == []


async def test_la_clave_no_se_guarda_ni_se_repite_este_donde_este(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, caplog: pytest.LogCaptureFixture
) -> None:
    await avisar(
        cliente, f"voluum?txid=v1&sub1={CLAVE}&sub2=a{CLAVE}b&CLAVE={CLAVE}&devolver=A{CAMPAÑA}", devuelto="A"
    )
    assert "propiedades" not in unica(puertos) or unica(puertos)["propiedades"] == {}
    assert CLAVE not in repr(puertos.publicados)
    malo = await cliente.get(f"/tracking/postback/voluum?clave={CLAVE}x&txid=v1")
    assert CLAVE not in malo.text + repr(malo.headers)
    assert CLAVE not in caplog.text


@pytest.mark.parametrize("nombre", ["security_token", "Security_Token"])
async def test_el_secreto_que_envia_la_red_tampoco_se_guarda(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria, nombre: str
) -> None:
    assert await avisar(cliente, f"tune?conversion_unique_id=v1&{nombre}=secreto{CAMPAÑA}") == ACEPTADO
    assert "secreto" not in repr(puertos.publicados)


async def test_head_no_registra_nada(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    assert (
        await cliente.head(f"/tracking/postback/voluum?clave={CLAVE}&txid=v1{CAMPAÑA}")
    ).status_code == 200
    assert (await cliente.head(f"/tracking/postback/voluum?clave=otra&txid=v1{CAMPAÑA}")).status_code == 401
    assert puertos.publicados == []


async def test_si_el_broker_no_confirma_es_503_y_la_red_lo_repite(
    cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria
) -> None:
    puertos.disponible = False
    con_clic = await cliente.get(f"/tracking/postback/voluum?clave={CLAVE}&cid=c1{CAMPAÑA}")
    sin_nada = await cliente.get(f"/tracking/postback/voluum?clave={CLAVE}&sub=1{CAMPAÑA}")
    assert (con_clic.status_code, sin_nada.status_code) == (503, 503)
    assert con_clic.headers["Retry-After"] == "5"
    assert "es seguro" in con_clic.json()["detail"]
    assert "puede contar dos veces" in sin_nada.json()["detail"]
    puertos.disponible = True
    assert await avisar(cliente, f"voluum?cid=c1{CAMPAÑA}") == ACEPTADO


async def test_lo_que_mide_de_mas_no_se_lee(cliente: httpx2.AsyncClient, puertos: PuertosEnMemoria) -> None:
    direccion = f"/tracking/postback/voluum?clave={CLAVE}"
    muchos = "&".join(f"p{n}=1" for n in range(PARAMETROS_MAXIMOS))
    assert (await cliente.get(f"{direccion}&{muchos}")).status_code == 422
    repartidos = await cliente.post(
        f"{direccion}&{muchos[: len(muchos) // 2]}", data={f"q{n}": "1" for n in range(40)}
    )
    assert repartidos.status_code == 422
    assert (await cliente.get(f"{direccion}&a={'x' * 20_000}")).status_code == 414
    assert (await cliente.post(direccion, data={"a": "x" * 20_000})).status_code == 413
    assert (await cliente.post(direccion, json={"a": 1})).status_code == 415
    assert puertos.publicados == []


async def test_quien_gasta_el_limite_de_su_clave_recibe_429(puertos: PuertosEnMemoria) -> None:
    limitada = Clave(
        alcances=frozenset({Alcance.CAPTURA}), dialecto=Dialecto.POSTBACK, limite=1, cubo=Cubo(1)
    )
    async with cliente_de(api_en_memoria(puertos, llavero=LlaveroEnMemoria({"k": limitada}))) as cliente:
        estados = [
            (await cliente.get(f"/tracking/postback/voluum?clave=k&txid=v{n}{CAMPAÑA}")).status_code
            for n in range(4)
        ]
    assert estados == [200, 200, 200, 429]


_hostiles = st.text(st.sampled_from(list("{}%[]&=+:,;<>\"'\\\x00\n\ud800ñ ñab19.-_")), max_size=40)
_nombres = st.sampled_from(
    sorted(
        {nombre for nombres in PROPIAS.values() for nombre in nombres}
        | {nombre for tabla in TABLAS.values() for nombres in tabla.fuentes.values() for nombre in nombres}
        | {"estados", "status", "cnv_status", "estado", "event_id", "et", "goal_id", "sale_status", "sub1"}
    )
)


@given(
    dialecto=st.sampled_from(sorted(TABLAS)),
    parametros=st.lists(st.tuples(st.one_of(_nombres, _hostiles), _hostiles), max_size=12),
)
def test_llegue_lo_que_llegue_es_una_entrada_que_consta_y_repetirla_es_la_misma(
    dialecto: str, parametros: list[tuple[str, str]]
) -> None:
    for permiso in (SIN_LIMITES, SU_PERMISO):
        una = entrada_de(parametros, TABLAS[dialecto], permiso)
        assert una.consta
        assert una == entrada_de(parametros, TABLAS[dialecto], permiso)


@pytest.mark.parametrize("octetos", [b"%FF%FE", b"%00", b"%ED%A0%80", b"=", b"%", b"%zz", b"a" * 3_000])
async def test_unos_octetos_cualesquiera_tienen_destino(cliente: httpx2.AsyncClient, octetos: bytes) -> None:
    for parametro in ("cid", "txid", "payout", "moneda", "sub1", "campaña_id"):
        cual = f"voluum?cid=c1&payout=9&moneda=EUR&campaña_id=cmp-1&{parametro}={octetos.decode()}"
        assert await avisar(cliente, cual) in {ACEPTADO, RECHAZADO}


def test_la_documentacion_dice_de_que_parametro_sale_cada_campo() -> None:
    texto = (RAIZ / "docs/entrada.md").read_text(encoding="utf-8")
    seccion = texto.partition("## Postback de una red")[2].partition("\n## ")[0]
    filas = re.findall(r"^\| `(\w+)` \| (.+) \| (.+) \| (.+) \| (.+) \| (.+) \|$", seccion, re.MULTILINE)
    documentadas = {
        dialecto: [re.findall(r"`([^`]+)`", celda) for celda in celdas] for dialecto, *celdas in filas
    }
    assert documentadas == {
        dialecto: [
            [*tabla.fuentes.get("clic_id", PROPIAS["clic_id"])],
            [*tabla.fuentes.get("id", PROPIAS["id"])],
            [*tabla.fuentes.get("valor", PROPIAS["valor"]), *tabla.fuentes.get("moneda", PROPIAS["moneda"])],
            [*tabla.objetivo],
            [*tabla.estado, *tabla.estados],
        ]
        for dialecto, tabla in TABLAS.items()
    }


def test_las_lineas_para_copiar_de_la_documentacion_son_de_un_dialecto_que_hay() -> None:
    texto = (RAIZ / "docs/entrada.md").read_text(encoding="utf-8")
    lineas = re.findall(r"/tracking/postback/(\w+)\?(\S+)", texto)
    assert {dialecto for dialecto, _ in lineas} == set(TABLAS)
    for dialecto, consulta in lineas:
        negacion = entrada_de(parse_qsl(consulta), TABLAS[dialecto], SIN_LIMITES).negacion
        # Lo único que le falta es que la red ponga los valores.
        assert isinstance(negacion, list)
        assert {falta.codigo.value for falta in negacion} == {"macro_sin_reemplazar"}
