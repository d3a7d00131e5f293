"""What is said of the account as a whole."""

from .row import Row


def summary(it):
    it.user()
    counted = it.iam.get_account_summary()["SummaryMap"]
    return counted["Users"] > 0 and counted["UsersQuota"] == 5000 and len(counted) == 34


def aliases(it):
    return it.iam.list_account_aliases()["AccountAliases"]


def create_alias(it):
    it.iam.create_account_alias(AccountAlias="stepwell-test")
    return aliases(it) == ["stepwell-test"]


def delete_alias(it):
    it.iam.create_account_alias(AccountAlias="stepwell-test")
    it.iam.delete_account_alias(AccountAlias="stepwell-test")
    return aliases(it) == []


def policy(it):
    return it.iam.get_account_password_policy()["PasswordPolicy"]


def without_policy(it, run):
    it.iam.update_account_password_policy(MinimumPasswordLength=12)
    it.iam.delete_account_password_policy()
    run()


def update_policy(it):
    it.iam.update_account_password_policy(MinimumPasswordLength=12, MaxPasswordAge=90, RequireSymbols=True)
    found = policy(it)
    it.iam.delete_account_password_policy()
    return (found["MinimumPasswordLength"], found["ExpirePasswords"], found["RequireSymbols"]) == (12, True, True)


def delete_policy(it):
    without_policy(it, lambda: it.iam.update_account_password_policy())
    it.iam.delete_account_password_policy()
    return True


def token_version(it):
    it.iam.set_security_token_service_preferences(GlobalEndpointTokenVersion="v2Token")
    return it.iam.get_account_summary()["SummaryMap"]["GlobalEndpointTokenVersion"] == 2


ROWS = [
    Row("GetAccountSummary", summary),
    Row("CreateAccountAlias", create_alias),
    Row("ListAccountAliases", create_alias),
    Row(
        "DeleteAccountAlias",
        delete_alias,
        NoSuchEntity=lambda it: it.iam.delete_account_alias(AccountAlias="nothing-of-this-name"),
    ),
    Row("UpdateAccountPasswordPolicy", update_policy),
    Row("GetAccountPasswordPolicy", update_policy, NoSuchEntity=lambda it: without_policy(it, lambda: policy(it))),
    Row(
        "DeleteAccountPasswordPolicy",
        delete_policy,
        NoSuchEntity=lambda it: without_policy(it, it.iam.delete_account_password_policy),
    ),
    Row("SetSecurityTokenServicePreferences", token_version),
]
