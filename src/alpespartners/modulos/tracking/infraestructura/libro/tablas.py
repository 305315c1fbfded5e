"""Las tablas del módulo, en su forma actual.

Qué es: la descripción con la que se escriben las sentencias.
Qué no es: lo que crea las tablas; eso lo hacen las migraciones, y una prueba comprueba que ambas dicen lo
mismo.
Por qué existe: nombres de columna y tipos, en un solo lugar. Todo es ASCII: `campana_id`, no `campaña_id`.
"""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, LargeBinary, Table

from alpespartners.seedwork.sql.metadatos import metadatos
from alpespartners.seedwork.sql.tipos import TEXTO, Importe, Instante, TextoJson

METADATOS = metadatos()


def _tabla_de_eventos(nombre: str, *propias: Column[object]) -> Table:
    """Un libro de eventos: la clave es el `id` del cliente; lo demás, sus campos y los del servidor."""
    return Table(
        nombre,
        METADATOS,
        Column("id", TEXTO, primary_key=True),
        Column("campana_id", TEXTO, nullable=False),
        Column("influencer_id", TEXTO),
        Column("usuario_id", TEXTO),
        *propias,
        Column("clic_id", TEXTO),
        Column("user_agent", TEXTO),
        Column("ip_address", TEXTO),
        Column("referrer", TEXTO),
        Column("timestamp", Instante),
        Column("propiedades", TextoJson, nullable=False),
        Column("comando_id", TEXTO, nullable=False),
        Column("huella", LargeBinary),
        Column("recibido_en", Instante, nullable=False),
        Column("registrado_en", Instante, nullable=False),
        Column("ocurrido_en", Instante, nullable=False),
        Column("advertencias", TextoJson, nullable=False),
        # El JSON de su lectura, que se puede volver a hacer; sin ella, lo que se registró sin leerla.
        Column("lectura", TEXTO),
        # El orden de llegada (`seedwork/sql/orden_de_llegada.py`); en SQLite lo da quien inserta.
        Column("secuencia", BigInteger, Identity(), nullable=False),
        # Quién la escribió, y por eso publica su evento (`carriles`); sin él, ya no hay que publicarlo.
        Column("carril", BigInteger),
        Index(None, "secuencia", unique=True),
        # Los destinos de lo registrado salen también de él: solo se ordena por id lo de un mismo instante.
        Index(None, "registrado_en", "secuencia"),
        # Cada filtro de una lista necesita el suyo, o la consulta recorre toda la campaña.
        Index(None, "campana_id", "ocurrido_en", "id"),
        Index(None, "campana_id", "influencer_id", "ocurrido_en", "id"),
    )


impresiones = _tabla_de_eventos("impresiones", Column("tipo_evento", TEXTO, nullable=False))

conversiones = _tabla_de_eventos(
    "conversiones",
    Column("tipo_conversion", TEXTO, nullable=False),
    Column("valor", Importe),
    Column("moneda", TEXTO),
    Column("cupon", TEXTO),
)
Index(
    None,
    conversiones.c.campana_id,
    conversiones.c.tipo_conversion,
    conversiones.c.ocurrido_en,
    conversiones.c.id,
)
# Solo de ellas: un influencer ve lo que se le paga, y de cada conversión hay muchas impresiones.
Index(None, conversiones.c.influencer_id, conversiones.c.ocurrido_en, conversiones.c.id)

destinos = Table(
    "destinos",
    METADATOS,
    Column("topico", TEXTO, primary_key=True),
    Column("comando_id", TEXTO, primary_key=True),
    # Parte de la identidad: un publicador ajeno puede usar un `ce_id` para dos cargas distintas.
    Column("huella", LargeBinary, primary_key=True),
    Column("evento_id", TEXTO),
    Column("estado", TEXTO, nullable=False),
    Column("motivo", TEXTO),
    Column("detalle", TEXTO),
    Column("campos", TextoJson, nullable=False),
    Column("original", TEXTO),
    Column("recibido_en", Instante, nullable=False),
    Column("decidido_en", Instante, nullable=False),
    Column("campana_id", TEXTO),
    Column("influencer_id", TEXTO),
    # Un id repetido un millón de veces se cuenta por el principio sin ordenar el millón.
    Index(None, "topico", "evento_id", "decidido_en"),
    # Cada filtro de la lista de destinos necesita el suyo, que acaba en el orden de la lista.
    Index(None, "topico", "estado", "decidido_en", "comando_id", "huella"),
    Index(None, "topico", "motivo", "decidido_en", "comando_id", "huella"),
    # Con nombre: el que le tocaría no cabe en PostgreSQL.
    Index(
        "ix_destinos_de_una_campana",
        "topico",
        "campana_id",
        "estado",
        "decidido_en",
        "comando_id",
        "huella",
    ),
)

enviados = Table(
    "enviados",
    METADATOS,
    # La clave de su destino. Aparte: se borra a los noventa días, y un destino no se toca jamás.
    Column("topico", TEXTO, primary_key=True),
    Column("comando_id", TEXTO, primary_key=True),
    Column("huella", LargeBinary, primary_key=True),
    Column("campos", TEXTO, nullable=False),
    Column("recibido_en", Instante, nullable=False, index=True),
)

balance = Table(
    "balance",
    METADATOS,
    Column("topico", TEXTO, primary_key=True),
    # Cada consumidor suma en el suyo: varios no hacen cola por la misma fila.
    Column("fragmento", Integer, primary_key=True),
    Column("estado", TEXTO, primary_key=True),
    Column("motivo", TEXTO, primary_key=True),
    Column("cuantos", BigInteger, nullable=False),
    Column("procesado_hasta", Instante),
)

libro = Table(
    "libro",
    METADATOS,
    # Una sola fila: distingue a este libro del que se reconstruya, donde los números vuelven a empezar.
    Column("identidad", TEXTO, primary_key=True),
)

carriles = Table(
    "carriles",
    METADATOS,
    Column("numero", BigInteger().with_variant(Integer, "sqlite"), Identity(), primary_key=True),
    Column("topico", TEXTO, nullable=False),
    Column("titular", TEXTO, nullable=False),
    # De sus filas, por `secuencia`: hasta cuál está todo publicado y cuál es la última.
    Column("publicado_hasta", BigInteger, nullable=False),
    Column("ultimo", BigInteger, nullable=False),
    # Las mismas, contadas: todas, las que hay hasta `publicado_hasta`, y las que se publicaron.
    Column("escritas", BigInteger, nullable=False),
    Column("seguidas", BigInteger, nullable=False),
    Column("publicadas", BigInteger, nullable=False),
    Column("arriendo_hasta", Instante, nullable=False),
    # Un número no se repite jamás: las filas lo llevan para siempre.
    sqlite_autoincrement=True,
)

bandeja_salida = Table(
    "bandeja_salida",
    METADATOS,
    Column("numero", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("topico", TEXTO, nullable=False),
    Column("clave", TEXTO),
    Column("propiedades", TextoJson, nullable=False),
    Column("carga", LargeBinary, nullable=False),
    Column("depositado_en", Instante, nullable=False),
    Column("reservada_hasta", Instante, nullable=False, index=True),
    # Un número no se repite jamás: quien retira tarde un envío confirmado no debe llevarse otro.
    sqlite_autoincrement=True,
)
