"""Identity providers: OIDC and SAML."""

from .row import Row
from .world import arn, data, metadata

NO_OIDC, NO_SAML = arn("oidc-provider/nothing.example.com"), arn("saml-provider/nothing")
OTHER = arn("user/not-a-provider")
THUMBPRINT = "6938fd4d98bab03faadb97b34396831e3780aea1"


def create_oidc(it):
    host = f"{it.name('idp')}.example.com"
    made = it.iam.create_open_id_connect_provider(
        Url=f"https://{host}/id", ClientIDList=["app"], ThumbprintList=[THUMBPRINT]
    )
    return made["OpenIDConnectProviderArn"] == arn(f"oidc-provider/{host}/id")


def create_oidc_again(it):
    url = "https://" + it.oidc_provider().split("/", 1)[1]
    it.iam.create_open_id_connect_provider(Url=url)


def oidc(it, provider):
    return it.iam.get_open_id_connect_provider(OpenIDConnectProviderArn=provider)


def get_oidc(it):
    got = oidc(it, it.oidc_provider(ClientIDList=["app"], ThumbprintList=[THUMBPRINT]))
    return (got["ClientIDList"], got["ThumbprintList"], "://" in got["Url"]) == (["app"], [THUMBPRINT], False)


def oidc_providers(it):
    listed = it.iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    return [provider["Arn"] for provider in listed]


def delete_oidc(it):
    provider = it.oidc_provider()
    it.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider)
    return provider not in oidc_providers(it)


def thumbprint(it, provider):
    it.iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=provider, ThumbprintList=[THUMBPRINT])
    return oidc(it, provider)["ThumbprintList"] == [THUMBPRINT]


def add_client(it, provider):
    it.iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="app")
    return oidc(it, provider)["ClientIDList"] == ["app"]


def remove_client(it, provider):
    it.iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=provider, ClientID="app")
    return oidc(it, provider)["ClientIDList"] == []


OIDC = [
    Row(
        "CreateOpenIDConnectProvider",
        create_oidc,
        InvalidInput=lambda it: it.oidc_provider(ThumbprintList=[f"{number:040}" for number in range(6)]),
        EntityAlreadyExists=create_oidc_again,
        LimitExceeded=lambda it: it.oidc_provider(ClientIDList=[f"app-{number}" for number in range(101)]),
    ),
    Row(
        "GetOpenIDConnectProvider",
        get_oidc,
        InvalidInput=lambda it: oidc(it, OTHER),
        NoSuchEntity=lambda it: oidc(it, NO_OIDC),
    ),
    Row("ListOpenIDConnectProviders", lambda it: it.oidc_provider() in oidc_providers(it)),
    Row(
        "DeleteOpenIDConnectProvider",
        delete_oidc,
        InvalidInput=lambda it: it.iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=OTHER),
    ),
    Row(
        "UpdateOpenIDConnectProviderThumbprint",
        lambda it: thumbprint(it, it.oidc_provider()),
        InvalidInput=lambda it: thumbprint(it, OTHER),
        NoSuchEntity=lambda it: thumbprint(it, NO_OIDC),
    ),
    Row(
        "AddClientIDToOpenIDConnectProvider",
        lambda it: add_client(it, it.oidc_provider()),
        InvalidInput=lambda it: add_client(it, OTHER),
        NoSuchEntity=lambda it: add_client(it, NO_OIDC),
    ),
    Row(
        "RemoveClientIDFromOpenIDConnectProvider",
        lambda it: remove_client(it, it.oidc_provider(ClientIDList=["app"])),
        InvalidInput=lambda it: remove_client(it, OTHER),
        NoSuchEntity=lambda it: remove_client(it, NO_OIDC),
    ),
]


def create_saml(it):
    name = it.name("idp")
    made = it.iam.create_saml_provider(Name=name, SAMLMetadataDocument=metadata())
    return made["SAMLProviderArn"] == arn(f"saml-provider/{name}")


def create_saml_again(it):
    name = it.saml_provider().rsplit("/", 1)[1]
    it.iam.create_saml_provider(Name=name, SAMLMetadataDocument=metadata())


def saml(it, provider):
    return it.iam.get_saml_provider(SAMLProviderArn=provider)


def get_saml(it):
    got = saml(it, it.saml_provider(AddPrivateKey=data("server.key"), AssertionEncryptionMode="Allowed"))
    return got["SAMLMetadataDocument"] == metadata() and len(got["PrivateKeyList"]) == 1


def saml_providers(it):
    return [provider["Arn"] for provider in it.iam.list_saml_providers()["SAMLProviderList"]]


def update_saml(it):
    provider = it.saml_provider()
    it.iam.update_saml_provider(SAMLProviderArn=provider, SAMLMetadataDocument=metadata("https://new.example.com"))
    return "new.example.com" in saml(it, provider)["SAMLMetadataDocument"]


def delete_saml(it):
    provider = it.saml_provider()
    it.iam.delete_saml_provider(SAMLProviderArn=provider)
    return provider not in saml_providers(it)


SAML = [
    Row(
        "CreateSAMLProvider",
        create_saml,
        InvalidInput=lambda it: it.iam.create_saml_provider(Name=it.name(), SAMLMetadataDocument="x" * 1000),
        EntityAlreadyExists=create_saml_again,
    ),
    Row(
        "GetSAMLProvider",
        get_saml,
        NoSuchEntity=lambda it: saml(it, NO_SAML),
        InvalidInput=lambda it: saml(it, OTHER),
    ),
    Row("ListSAMLProviders", lambda it: it.saml_provider() in saml_providers(it)),
    Row(
        "UpdateSAMLProvider",
        update_saml,
        NoSuchEntity=lambda it: it.iam.update_saml_provider(SAMLProviderArn=NO_SAML),
        InvalidInput=lambda it: it.iam.update_saml_provider(
            SAMLProviderArn=it.saml_provider(), SAMLMetadataDocument="x" * 1000
        ),
    ),
    Row(
        "DeleteSAMLProvider",
        delete_saml,
        InvalidInput=lambda it: it.iam.delete_saml_provider(SAMLProviderArn=OTHER),
        NoSuchEntity=lambda it: it.iam.delete_saml_provider(SAMLProviderArn=NO_SAML),
    ),
]

ROWS = OIDC + SAML
