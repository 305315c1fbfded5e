"""PostgreSQL está y no puede: sin disco, sin memoria, sin conexiones, sin permiso o de solo lectura.

Qué es: lo que dice cada estado suyo, y que al acabarse se sigue sin arrancar nada de nuevo.
Qué no es: lo que hace con ello un consumidor (`tests/unidad/infraestructura/test_consumidores.py`), ni el
producto en marcha (`tests/e2e/test_postgresql.py`).
Por qué existe: nada de esto es culpa de un mensaje, y ninguno puede acabar rechazado, partido ni ilegible.
"""

import asyncio
import secrets
from collections.abc import Generator
from dataclasses import dataclass
from urllib.parse import urlsplit

import pytest
from sqlalchemy import Connection, text

from alpespartners.modulos.tracking.aplicacion import clases
from alpespartners.modulos.tracking.aplicacion.puertos import BaseDatosNoDisponible
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.lecturas import LecturasPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.libro import LibroPostgreSQL
from alpespartners.modulos.tracking.infraestructura.motores.postgresql.servidor import (
    ConexionRechazada,
    ServidorPostgreSQL,
)
from tests.apoyo.eventos import impresion
from tests.apoyo.postgresql import (
    CREA_EN_EL_PEQUEÑO,
    ServidorDePrueba,
    libro_postgresql,
    servidor_de_prueba,
    servidor_en_discos_pequeños,
    sql,
)

MUCHOS = {f"imp-{n}" for n in range(1_000)}


@pytest.fixture
def url(servidor_postgresql: ServidorDePrueba) -> str:
    return servidor_postgresql.base_nueva()


@dataclass(frozen=True, slots=True)
class Usuario:
    """Uno que no es dueño de nada, como el que un administrador da a un servicio."""

    nombre: str
    url: str


@pytest.fixture
def usuario(url: str) -> Generator[Usuario]:
    nombre = f"servicio_{secrets.token_hex(4)}"
    sql(url, f"CREATE ROLE {nombre} LOGIN PASSWORD 'suya'")
    sql(url, f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {nombre}")
    partes = urlsplit(url)
    donde = f"{nombre}:suya@{partes.hostname}:{partes.port}"
    yield Usuario(nombre, partes._replace(netloc=donde).geturl())
    sql(url, f"DROP OWNED BY {nombre}")
    sql(url, f"DROP ROLE {nombre}")


async def registrar(libro: LibroPostgreSQL, *ids: str) -> set[str]:
    return await libro.ejecutar(
        lambda t: set(t.eventos(clases.IMPRESIONES).agregar([impresion(id=i) for i in ids]))
    )


async def fallo_al_registrar(libro: LibroPostgreSQL, *ids: str) -> BaseDatosNoDisponible:
    with pytest.raises(BaseDatosNoDisponible) as fallo:
        await registrar(libro, *ids)
    # Ocupada también es no disponible, y partiría el lote.
    assert type(fallo.value) in (BaseDatosNoDisponible, ConexionRechazada)
    return fallo.value


async def registradas(lecturas: LecturasPostgreSQL, *ids: str) -> set[str]:
    return set(await lecturas.leer(lambda c: c.eventos(clases.IMPRESIONES).obtener(ids)))


def base_y_otra(url: str) -> tuple[str, str]:
    """El nombre de esa base de datos, y la URL de otra desde la que administrarla."""
    base = urlsplit(url).path.removeprefix("/")
    return base, url.removesuffix(base) + "postgres"


def cortar_conexiones(de_administrar: str, base: str) -> None:
    sql(de_administrar, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{base}'")  # noqa: S608 (la creó la prueba)


@pytest.mark.parametrize(
    ("estado", "causa"),
    [
        ("53200", "no le queda memoria (53200): "),
        ("58030", "no puede leer o escribir en su disco (58030): "),
        ("XX000", ""),
    ],
)
async def test_lo_que_le_falta_al_servidor_se_espera_y_se_dice(url: str, estado: str, causa: str) -> None:
    sql(
        url,
        "CREATE FUNCTION fallar() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE 'dice el servidor' USING ERRCODE = '{estado}'; END $$",
    )
    sql(url, "CREATE TRIGGER falla BEFORE INSERT ON impresiones FOR EACH ROW EXECUTE FUNCTION fallar()")
    with libro_postgresql(url) as (libro, lecturas):
        assert str(await fallo_al_registrar(libro, "a")).startswith(f"{causa}dice el servidor")
        assert await registradas(lecturas, "a") == set()
        sql(url, "DROP TRIGGER falla ON impresiones")
        assert await registrar(libro, "a") == {"a"}


async def test_sin_sitio_en_el_disco_se_espera_se_lee_y_se_dice() -> None:
    with servidor_en_discos_pequeños() as pequeño:
        url = pequeño.servidor.base_nueva(CREA_EN_EL_PEQUEÑO)
        with libro_postgresql(url) as (libro, lecturas):
            assert await registrar(libro, "antes") == {"antes"}
            pequeño.datos.llenar()
            # Más de lo que cabe en las páginas que ya tenía.
            fallo = await fallo_al_registrar(libro, *MUCHOS)
            assert str(fallo).startswith("no le queda sitio en el disco (53100): ")
            assert await registradas(lecturas, "antes", *MUCHOS) == {"antes"}
            # Lo que no cabe en memoria al leer va a los archivos temporales, que están ahí mismo.
            with pytest.raises(BaseDatosNoDisponible, match=r"no le queda sitio en el disco \(53100\)"):
                await asyncio.to_thread(_ordenar_en_disco, url)
            pequeño.datos.vaciar()
            assert await registrar(libro, *MUCHOS) == MUCHOS
            await asyncio.to_thread(_ordenar_en_disco, url)


def _ordenar_en_disco(url: str) -> None:
    servidor = ServidorPostgreSQL(url, nombre="prueba", conexiones=1, solo_lectura=True)

    def ordenar(conexion: Connection) -> None:
        conexion.execute(text("SET LOCAL work_mem = '64kB'"))
        conexion.execute(text("SELECT n FROM generate_series(1, 100000) n ORDER BY -n OFFSET 99999"))

    try:
        servidor.ejecutar_y_esperar(ordenar)
    finally:
        servidor.cerrar()


async def test_cuando_deja_de_ser_de_solo_lectura_se_escribe_sin_arrancar_nada(url: str) -> None:
    base, de_administrar = base_y_otra(url)
    with libro_postgresql(url) as (libro, lecturas):
        # Así detiene a quien escribe quien administra un disco que se llena.
        sql(de_administrar, f"ALTER DATABASE {base} SET default_transaction_read_only = on")
        cortar_conexiones(de_administrar, base)
        # Varias a la vez: que no quede ninguna conexión que aún lo sea.
        fallos = await asyncio.gather(*(fallo_al_registrar(libro, f"a-{n}") for n in range(4)))
        assert all(str(fallo).startswith("solo admite lecturas (25006): ") for fallo in fallos)
        assert await registradas(lecturas, "a-0") == set()
        for _ in range(3):
            await fallo_al_registrar(libro, "a-0")
            assert await lecturas.consumidores() == 1
        sql(de_administrar, f"ALTER DATABASE {base} RESET default_transaction_read_only")
        nuevas = await asyncio.gather(*(registrar(libro, f"a-{n}") for n in range(4)))
        assert set().union(*nuevas) == {"a-0", "a-1", "a-2", "a-3"}


@pytest.mark.usefixtures("servidor_postgresql")
async def test_la_copia_que_pasa_a_ser_la_principal_se_escribe_sin_arrancar_nada() -> None:
    with servidor_de_prueba() as servidor:
        url = servidor.base_nueva()
        servidor.detener()
        servidor.en_espera()
        servidor.arrancar()
        with libro_postgresql(url) as (libro, lecturas):
            assert str(await fallo_al_registrar(libro, "a")).startswith("solo admite lecturas (25006): ")
            assert await registradas(lecturas, "a") == set()
            sql(url, "SELECT pg_promote()")
            assert await registrar(libro, "a") == {"a"}


async def test_un_permiso_retirado_se_espera_y_al_volver_se_escribe(url: str, usuario: Usuario) -> None:
    with libro_postgresql(usuario.url) as (libro, lecturas):
        sql(url, f"REVOKE INSERT ON impresiones FROM {usuario.nombre}")
        fallo = await fallo_al_registrar(libro, "a")
        assert str(fallo).startswith("a este usuario le falta un permiso (42501): ")
        assert "impresiones" in str(fallo)
        sql(url, f"REVOKE ALL ON balance FROM {usuario.nombre}")
        with pytest.raises(BaseDatosNoDisponible, match="42501"):
            await lecturas.leer(lambda c: c.balance.renglones())
        sql(url, f"GRANT INSERT ON impresiones TO {usuario.nombre}")
        assert await registrar(libro, "a") == {"a"}


async def test_lo_que_impide_conectarse_en_marcha_se_espera_y_no_parte_el_lote(
    url: str, usuario: Usuario
) -> None:
    base, de_administrar = base_y_otra(url)
    estorbos = {
        "no admite a este usuario (28P01): ": (
            f"ALTER ROLE {usuario.nombre} PASSWORD 'otra'",
            f"ALTER ROLE {usuario.nombre} PASSWORD 'suya'",
        ),
        "no admite a este usuario (28000): ": (
            f"ALTER ROLE {usuario.nombre} NOLOGIN",
            f"ALTER ROLE {usuario.nombre} LOGIN",
        ),
        "no le quedan conexiones (53300): ": (
            f"ALTER ROLE {usuario.nombre} CONNECTION LIMIT 0",
            f"ALTER ROLE {usuario.nombre} CONNECTION LIMIT -1",
        ),
        # 55000, que en medio de una transacción es estar ocupada.
        f'database "{base}" is not currently accepting connections': (
            f"ALTER DATABASE {base} ALLOW_CONNECTIONS false",
            f"ALTER DATABASE {base} ALLOW_CONNECTIONS true",
        ),
    }
    with libro_postgresql(usuario.url) as (libro, lecturas):
        for numero, (frase, (estorbar, arreglar)) in enumerate(estorbos.items()):
            assert await registrar(libro, f"antes-{numero}")
            sql(de_administrar, estorbar)
            cortar_conexiones(de_administrar, base)
            assert str(await fallo_al_registrar(libro, f"durante-{numero}")).startswith(frase)
            with pytest.raises(BaseDatosNoDisponible) as fallo:
                await registradas(lecturas, "nada")
            assert str(fallo.value).startswith(frase)
            sql(de_administrar, arreglar)
            assert await registrar(libro, f"durante-{numero}") == {f"durante-{numero}"}
