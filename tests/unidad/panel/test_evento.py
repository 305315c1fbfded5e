"""La página que explica un evento: lo que dice de cada destino, y de un `id` del que no consta nada."""

import re
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from alpespartners.modulos.claves.aplicacion.llavero import LlaveroGuardado
from alpespartners.modulos.tracking.aplicacion.clases import CLASES, CONVERSIONES, IMPRESIONES
from alpespartners.modulos.tracking.aplicacion.consultas import explicar_evento
from alpespartners.modulos.tracking.aplicacion.handlers import ManejadorDeRegistro
from alpespartners.modulos.tracking.aplicacion.mensajes import EnviosPendientes
from alpespartners.modulos.tracking.dominio.entidades import EventoSeguido
from alpespartners.modulos.tracking.dominio.lectura import Lectura
from alpespartners.panel.direcciones import direccion_de_evento
from alpespartners.panel.formato import instante
from alpespartners.panel.idiomas import Idioma
from alpespartners.panel.vistas.evento import VUELTAS_MAXIMAS
from tests.apoyo.casos_de_destino import DE_TODO, HOSTIL, VUELTO, puertos_con_de_todo
from tests.apoyo.claves import ClavesEnMemoria
from tests.apoyo.eventos import AHORA, CONVERSION, recibido
from tests.apoyo.memoria import PuertosEnMemoria, api_en_memoria, cliente_de
from tests.apoyo.paginas import texto_de

EN_INGLES = {"Accept-Language": "en"}
DE_HTMX = {"HX-Request": "true"}


@pytest.fixture
def puertos() -> PuertosEnMemoria:
    return puertos_con_de_todo()


async def pedir(puertos: PuertosEnMemoria, direccion: str, **opciones: Any) -> httpx2.Response:
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        return await cliente.get(direccion, **opciones)


def pagina_de(evento_id: str) -> str:
    return f"/panel/evento?id={quote(evento_id, safe='')}"


async def test_la_historia_es_la_de_la_api_en_orden_y_de_las_dos_clases(puertos: PuertosEnMemoria) -> None:
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        pagina = await cliente.get(pagina_de(DE_TODO))
        historias = [
            (await cliente.get(f"/tracking/{clase.plural}/{DE_TODO}/destino")).json() for clase in CLASES
        ]
    destinos = sorted(
        (destino for historia in historias for destino in historia["destinos"]),
        key=lambda destino: destino["decidido_en"],
    )
    assert re.findall(r'data-estado="(\w+)"', pagina.text) == [destino["estado"] for destino in destinos]
    assert re.findall(r"Comando <code><bdi>(.*?)</bdi>", pagina.text) == [
        destino["comando_id"] for destino in destinos
    ]
    assert len(destinos) == 7


@pytest.mark.parametrize(
    ("idioma", "frases"),
    [
        (
            "es",
            [
                "Se guardó, y cuenta una vez.",
                "La procedencia se arregló: sin contraseñas, con su https o más corta.",
                "El campo no se conoce, y pasó a las propiedades:",
                "Lo registró el comando c-1",
                "El id ya es de otro evento ( conflicto_de_id )",
                "La moneda no existe, o ya no existía ( moneda_desconocida )",
                "Qué hacer: Si es otro evento, envíelo con un id propio",
                "Qué hacer: Con este id ya hay un evento registrado, que cuenta una vez",
                ".venv/bin/alpespartners cartas listar",
                "No dice de qué campaña es ( sin_campaña )",
            ],
        ),
        (
            "en",
            [
                "It was stored, and counts once.",
                "The referrer was repaired",
                "It was recorded by the command c-1",
                "The id already belongs to another event ( conflicto_de_id )",
                "What to do: With this id there is already a recorded event",
                "It does not say which campaign it is for ( sin_campaña )",
            ],
        ),
    ],
)
async def test_cada_destino_se_cuenta_con_sus_frases_en_los_dos_idiomas(
    puertos: PuertosEnMemoria, idioma: str, frases: list[str]
) -> None:
    leido = texto_de(await pedir(puertos, pagina_de(DE_TODO), headers={"Accept-Language": idioma}))
    assert [frase for frase in frases if frase not in leido] == []


async def test_de_un_conflicto_se_ven_juntos_lo_enviado_y_lo_registrado_y_que_decide_el_dinero(
    puertos: PuertosEnMemoria,
) -> None:
    leido = texto_de(await pedir(puertos, pagina_de(DE_TODO)))
    assert "valor (decide el dinero) 15000.00 150000.00" in leido
    assert f"usuario_id (decide el dinero) {HOSTIL} usr-101" in leido
    # Lo que solo describe también se ve, y no se dice que decida.
    assert f"user_agent {HOSTIL}" in leido


async def test_lo_hostil_se_ve_y_no_es_parte_de_la_pagina(puertos: PuertosEnMemoria) -> None:
    for direccion in (pagina_de(DE_TODO), pagina_de(HOSTIL), "/panel/rechazos"):
        respuesta = await pedir(puertos, direccion)
        assert respuesta.status_code == 200
        assert "<script>alert" not in respuesta.text
        assert HOSTIL in texto_de(respuesta)
        assert "\u202e" not in respuesta.text
        assert "\u200b" not in respuesta.text
    assert VUELTO[0] == "\u202e"
    assert "U+202E gpj. U+200B" in texto_de(await pedir(puertos, pagina_de(DE_TODO)))


async def test_que_salio_se_dice_solo_si_no_queda_nada_por_publicar(puertos: PuertosEnMemoria) -> None:
    assert "no queda ningún mensaje por publicar" in texto_de(await pedir(puertos, pagina_de(DE_TODO)))
    puertos.registrado.balance.bandeja = EnviosPendientes(cuantos=1_234, desde=AHORA)
    leido = texto_de(await pedir(puertos, pagina_de(DE_TODO)))
    assert "Por publicar quedan 1 234 mensajes de todos los eventos" in leido
    assert "no queda ningún mensaje por publicar" not in leido


async def test_de_una_historia_larga_se_dice_cuantos_faltan(
    puertos: PuertosEnMemoria, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explicar_evento, "SUCESOS_EXPLICADOS", 2)
    leido = texto_de(await pedir(puertos, pagina_de(DE_TODO)))
    # Si lo registrado llegó al final, los que faltan son anteriores a él.
    assert "Y 4 más, que aquí no se enseñan." in leido


def _con_su_fecha(detalle: str) -> str:
    """Lo que dice la API, con los instantes escritos como en el panel, y solo así."""
    return re.sub(
        r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) UTC",
        lambda hallado: f"{instante(datetime.fromisoformat(f'{hallado[1]}Z'), Idioma.ESPAÑOL)} ",
        detalle,
    )


@pytest.mark.parametrize(
    ("consumidores", "se_dice"),
    [
        (0, "espera a que vuelvan los consumidores: ahora no hay ninguno"),
        (2, "Consumidores que trabajan ahora 2"),
    ],
)
async def test_de_un_id_desconocido_se_dice_lo_mismo_que_la_api_y_quien_trabaja(
    puertos: PuertosEnMemoria, consumidores: int, se_dice: str
) -> None:
    puertos.cuantos_consumidores = consumidores
    async with cliente_de(api_en_memoria(puertos)) as cliente:
        leido = texto_de(await cliente.get(pagina_de("nadie")))
        problemas = [
            (await cliente.get(f"/tracking/{clase.plural}/nadie/destino")).json() for clase in CLASES
        ]
    assert "No consta nada de nadie" in leido
    assert se_dice in leido
    assert "Si tarda, mire si avanzan: Sistema ." in leido
    assert len(problemas) == len(CLASES)
    for problema in problemas:
        _, dicho = _con_su_fecha(problema["detail"]).split(". ", 1)
        assert dicho in leido


async def test_en_ingles_el_desconocido_se_explica_en_ingles(puertos: PuertosEnMemoria) -> None:
    puertos.cuantos_consumidores = 0
    leido = texto_de(await pedir(puertos, pagina_de("nadie"), headers=EN_INGLES))
    assert "none : what was accepted is safe, and waits for them to come back" in leido
    assert "If it was accepted later, it is safe in the broker and waits for the consumers" in leido
    assert "Everything received was already processed until 15 Jan 2026" in leido
    assert "No consta" not in leido
    puertos.cuantos_consumidores = 1
    leido = texto_de(await pedir(puertos, pagina_de("nadie"), headers=EN_INGLES))
    assert "If it was accepted later, it will have its outcome when a consumer processes it." in leido
    puertos.registrado = PuertosEnMemoria().registrado
    leido = texto_de(await pedir(puertos, pagina_de("nadie"), headers=EN_INGLES))
    assert (
        "Nothing of this kind has been processed yet. If it was accepted, it will have its outcome" in leido
    )


async def test_en_ingles_de_un_conflicto_no_queda_nada_en_español(puertos: PuertosEnMemoria) -> None:
    direcciones = [pagina_de(DE_TODO), "/panel/rechazos?motivo=conflicto_de_id"]
    for direccion in direcciones:
        leido = texto_de(await pedir(puertos, direccion, headers=EN_INGLES))
        assert "that id already exists with other content; these differ: " in leido
        assert "ya existe ese id" not in leido


async def test_sin_guiones_no_se_dice_que_la_pagina_mira_sola(puertos: PuertosEnMemoria) -> None:
    primera = await pedir(puertos, pagina_de("nadie"))
    assert '<span class="con-guiones" hidden>Si llega, aparece aquí' in primera.text
    # Lo que trae htmx lo trajo un guion, y nada más lo descubre.
    otra = await pedir(puertos, f"{pagina_de('nadie')}&vuelta=1", headers=DE_HTMX)
    assert '<span class="con-guiones">Si llega, aparece aquí' in otra.text


async def test_si_no_se_sabe_quien_trabaja_se_dice(puertos: PuertosEnMemoria) -> None:
    puertos.se_sabe_quien_consume = False
    assert "no se sabe: la base de datos no responde" in texto_de(await pedir(puertos, pagina_de("nadie")))


async def test_si_los_consumidores_no_avanzan_no_se_promete_un_destino_aunque_los_haya() -> None:
    ahora = AHORA
    puertos = PuertosEnMemoria()
    puertos.detenidos = True
    puertos.cuantos_consumidores = 1
    async with cliente_de(api_en_memoria(puertos, reloj=lambda: ahora)) as cliente:
        await cliente.post("/tracking/impresiones", json={"campaña_id": "cmp-1"})
        assert "tendrá destino cuando un consumidor lo procese" in texto_de(
            await cliente.get(pagina_de("nadie"))
        )
        ahora += timedelta(minutes=2)
        leido = texto_de(await cliente.get(pagina_de("nadie")))
    _, de_impresiones, de_conversiones = leido.split("Aún no se ha procesado ningún envío de esta clase.")
    assert "los consumidores no avanzan o no dan abasto" in de_impresiones
    assert "tendrá destino cuando un consumidor lo procese" in de_conversiones


async def test_mientras_no_consta_la_pagina_mira_sola_unas_cuantas_veces(puertos: PuertosEnMemoria) -> None:
    primera = await pedir(puertos, pagina_de("nadie"))
    assert 'hx-get="/panel/evento?id=nadie&amp;vuelta=1"' in primera.text
    otra = await pedir(puertos, f"{pagina_de('nadie')}&vuelta=1", headers=DE_HTMX)
    assert otra.text.startswith('<div id="espera" hx-get="/panel/evento?id=nadie&amp;vuelta=2"')
    ultima = await pedir(puertos, f"{pagina_de('nadie')}&vuelta={VUELTAS_MAXIMAS}", headers=DE_HTMX)
    assert "hx-get" not in ultima.text
    assert "La página ya no mira sola." in ultima.text


@pytest.mark.parametrize(
    ("escrito", "lo_parece"),
    [
        ("01890a5d-ac96-774b-bcce-b302099a8057", True),
        ("01890a5d-ac96-474b-bcce-b302099a8057", False),
        ("demo-01890a5d-ac96-774b-bcce-b302099a8057", False),
    ],
)
async def test_de_lo_que_parece_un_comando_se_dice_que_se_busque_por_su_id_y_no_se_espera(
    puertos: PuertosEnMemoria, escrito: str, *, lo_parece: bool
) -> None:
    respuesta = await pedir(puertos, pagina_de(escrito))
    leido = texto_de(respuesta)
    assert (
        "Parece un comando, y no un id. De lo registrado no se busca por el comando" in leido
    ) is lo_parece
    assert ("hx-get" in respuesta.text) is not lo_parece
    assert ("lo más probable es que no llegara con este id" in leido) is not lo_parece
    assert ("mira sola" in leido) is not lo_parece
    assert "Es el comando de un envío que se registró: se busca por el id" in leido


async def test_del_comando_de_lo_que_no_se_registro_se_propone_su_id(puertos: PuertosEnMemoria) -> None:
    comando = "01890a5d-ac96-774b-bcce-b302099a8057"
    mala = replace(CONVERSION, id="v-1", moneda="ZZZ")
    ManejadorDeRegistro(CONVERSIONES).manejar([recibido(mala, comando)], puertos.registrado, AHORA)
    leido = texto_de(await pedir(puertos, pagina_de(comando)))
    assert "¿Quiso decir…? v-1" in leido
    assert "Parece un comando" not in leido


async def test_lo_que_llega_mientras_se_mira_ocupa_su_sitio(puertos: PuertosEnMemoria) -> None:
    llegado = await pedir(puertos, f"{pagina_de(DE_TODO)}&vuelta=7", headers=DE_HTMX)
    assert (llegado.headers["HX-Retarget"], llegado.headers["HX-Reswap"]) == ("#historia", "innerHTML")
    assert "hx-get" not in llegado.text
    assert "<html" not in llegado.text


@pytest.mark.parametrize(
    ("escrito", "estado", "propuesto"),
    [
        (f" {DE_TODO}", 422, DE_TODO),
        (f"{DE_TODO}\u200b", 200, DE_TODO),
        (f'"{DE_TODO}"', 200, DE_TODO),
        (DE_TODO.upper(), 200, DE_TODO),
        (quote(HOSTIL, safe=""), 200, HOSTIL),
        ("c-3", 200, DE_TODO),
    ],
)
async def test_a_quien_escribe_casi_un_id_se_le_propone_y_no_se_le_cambia(
    puertos: PuertosEnMemoria, escrito: str, estado: int, propuesto: str
) -> None:
    respuesta = await pedir(puertos, pagina_de(escrito))
    assert respuesta.status_code == estado
    assert "¿Quiso decir…?" in respuesta.text
    assert f'<a href="{direccion_de_evento(propuesto)}">' in respuesta.text
    assert "<ol class=" not in respuesta.text


async def test_un_id_que_no_puede_serlo_dice_por_que_y_no_propone_lo_que_no_hay(
    puertos: PuertosEnMemoria,
) -> None:
    respuesta = await pedir(puertos, pagina_de("x" * 129))
    assert respuesta.status_code == 422
    assert "Ningún evento puede tener ese id : admite como mucho 128 caracteres" in texto_de(respuesta)
    assert "¿Quiso decir…?" not in respuesta.text


@pytest.mark.parametrize(
    ("consulta", "campo"), [("?ids=1", "ids"), ("?id=a&id=b", "id"), ("?id=a&vuelta=-1", "vuelta")]
)
async def test_un_parametro_que_no_vale_es_una_pagina_que_lo_nombra(
    puertos: PuertosEnMemoria, consulta: str, campo: str
) -> None:
    respuesta = await pedir(puertos, f"/panel/evento{consulta}")
    assert respuesta.status_code == 422
    assert f"<code>{campo}</code>" in respuesta.text


@pytest.mark.parametrize("consulta", ["", "?id="])
async def test_sin_id_explica_que_se_puede_preguntar(puertos: PuertosEnMemoria, consulta: str) -> None:
    respuesta = await pedir(puertos, f"/panel/evento{consulta}")
    assert respuesta.status_code == 200
    assert "Escriba el id de una impresión o de una conversión" in texto_de(respuesta)


async def test_lo_que_se_envio_y_ya_se_olvido_se_dice(puertos: PuertosEnMemoria) -> None:
    anotados = puertos.registrado.destinos.anotados
    for cual, anotado in anotados.items():
        anotados[cual] = anotado._replace(enviado=None)
    leido = texto_de(await pedir(puertos, pagina_de(DE_TODO)))
    assert "Lo que se envió ya no se guarda" in leido
    assert "curl" not in leido


class TestConClavesDeCampañas:
    """Una clave que solo ve sus campañas."""

    @pytest.fixture
    def claves(self) -> ClavesEnMemoria:
        return ClavesEnMemoria()

    async def _pedir(
        self, puertos: PuertosEnMemoria, claves: ClavesEnMemoria, clave: str, direccion: str
    ) -> httpx2.Response:
        guardadas = LlaveroGuardado(claves.leer, lambda: AHORA)
        await guardadas.ponerse_al_dia()
        async with cliente_de(api_en_memoria(puertos, guardadas=guardadas)) as cliente:
            return await cliente.get(direccion, headers={"Authorization": f"Bearer {clave}"})

    async def test_no_ve_lo_de_otra_ni_que_existe(
        self, puertos: PuertosEnMemoria, claves: ClavesEnMemoria
    ) -> None:
        clave = claves.crear("lectura", campañas=["otra"])
        ajeno = await self._pedir(puertos, claves, clave, pagina_de(DE_TODO))
        nadie = await self._pedir(puertos, claves, clave, pagina_de("nadie-123"))
        assert ajeno.text.replace(DE_TODO, "nadie-123") == nadie.text
        casi = await self._pedir(puertos, claves, clave, pagina_de(f'"{DE_TODO}"'))
        assert "¿Quiso decir…?" not in casi.text

    async def test_de_su_conflicto_con_otra_solo_ve_que_lo_es(
        self, puertos: PuertosEnMemoria, claves: ClavesEnMemoria
    ) -> None:
        async with cliente_de(api_en_memoria(puertos)) as cliente:
            venta = {"id": DE_TODO, "campaña_id": "otra", "tipo_conversion": "REGISTRO"}
            (await cliente.post("/tracking/conversiones", json=venta)).raise_for_status()
        leido = texto_de(
            await self._pedir(puertos, claves, claves.crear("lectura", campañas=["otra"]), pagina_de(DE_TODO))
        )
        assert "campaña_id (decide el dinero) otra es de otra campaña, y su clave no lo ve" in leido
        assert "cmp-456" not in leido
        assert "150000" not in leido

    async def test_a_quien_lo_ve_todo_se_le_proponen_los_prefijos_de_las_claves(
        self, puertos: PuertosEnMemoria, claves: ClavesEnMemoria
    ) -> None:
        claves.crear("captura", prefijo="conv-")
        respuesta = await self._pedir(puertos, claves, claves.crear("lectura"), pagina_de("123"))
        assert f'<a href="/panel/evento?id={DE_TODO}">' in respuesta.text
        suya = claves.crear("lectura", campañas=["cmp-456"])
        assert "¿Quiso decir…?" not in (await self._pedir(puertos, claves, suya, pagina_de("123"))).text


def test_la_fila_se_explica_entera() -> None:
    libro = puertos_con_de_todo().registrado
    explicacion = explicar_evento.explicar_evento(libro, DE_TODO)
    eventos = [explicado.evento for explicado in explicacion.sucesos if explicado.evento is not None]
    assert [type(evento).__name__ for evento in eventos] == ["Conversion", "Impresion"]
    assert all(isinstance(evento, EventoSeguido) for evento in eventos)


@pytest.mark.parametrize(
    ("clase", "bot", "dice"),
    [
        (
            "REPETIDO",
            False,
            "Clase de clic: REPETIDO , de quien ya había hecho clic en ese enlace menos de 24 horas",
        ),
        ("INVALIDO", False, "Clase de clic: INVALIDO , de un enlace que ya había vencido"),
        ("BOT", True, "Parece de un robot: Vienen de dominios que envían visitas falsas; <b>señal</b> ."),
    ],
)
async def test_de_un_clic_se_dice_su_clase_y_por_que_y_de_donde_y_con_que_vino(
    puertos: PuertosEnMemoria, clase: str, dice: str, *, bot: bool
) -> None:
    eventos = puertos.registrado.libros[IMPRESIONES].eventos
    suya = Lectura(
        reglas="1",
        red="instagram",
        dispositivo="movil",
        pais="CO",
        navegador="<i>Chrome</i>",
        bot=bot,
        señales=("referrer_de_spam", "<b>señal</b>") if bot else (),
        recibidas=("visita_repetida",),
        clase=clase,
    )
    eventos[DE_TODO] = replace(eventos[DE_TODO], lectura=suya)
    pagina = await pedir(puertos, pagina_de(DE_TODO))
    assert "<b>señal" not in pagina.text
    assert "<i>Chrome" not in pagina.text
    texto = texto_de(pagina)
    assert dice in texto
    for dato in (
        "Red Instagram",
        "Dispositivo Móvil",
        "País CO",
        "Navegador <i>Chrome</i>",
        "visita_repetida",
    ):
        assert dato in texto
    en_ingles = texto_de(await pedir(puertos, pagina_de(DE_TODO), headers=EN_INGLES))
    assert "How it was read" in en_ingles


async def test_de_lo_que_no_se_leyo_se_dice(puertos: PuertosEnMemoria) -> None:
    eventos = puertos.registrado.libros[IMPRESIONES].eventos
    eventos[DE_TODO] = replace(eventos[DE_TODO], lectura=None)
    texto = texto_de(await pedir(puertos, pagina_de(DE_TODO)))
    assert "No se ha leído: no se sabe de dónde ni con qué vino." in texto
