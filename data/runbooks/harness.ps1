<#
Runs one PowerShell script of an aws:executeScript step.

pwsh -NoLogo -NoProfile -NonInteractive -File harness.ps1

Beside it lie input.json (what the script finds in $env:InputPayload), customer_script.ps1 (unless
the script comes from an attachment) and, if the document has attachments, the directory attachments,
which becomes the current location, and attachment.txt (the name of the one that the step names). The
result becomes result.json: {"payload": the last object of the script's output}, {"text": the same
when it is a text} or {"failure": where and what}. Whatever else the script says goes to standard
output: the caller keeps it as ExecutionLog. Without a result the process was ended.

The script sees the variables of those who call it, so there is one only, with a name of its own.
#>
$__stepwell = @{
    Script      = Join-Path $PSScriptRoot 'customer_script.ps1'
    Attachments = Join-Path $PSScriptRoot 'attachments'
    Attachment  = Join-Path $PSScriptRoot 'attachment.txt'
    Result      = Join-Path $PSScriptRoot 'result.json'
    Last        = $null
    Failure     = $null
}
$ProgressPreference = 'SilentlyContinue'
$InformationPreference = 'Continue'

# Unpacks the archives of a folder where they lie; the named one last, so that its files win.
function Expand-StepwellArchive([string] $Folder, [string] $Named) {
    $archives = @(Get-ChildItem -LiteralPath $Folder -Filter '*.zip' -File)
    $others = @($archives | Where-Object { $_.Name -ne $Named })
    $chosen = @($archives | Where-Object { $_.Name -eq $Named })
    foreach ($archive in ($others + $chosen)) {
        Expand-Archive -LiteralPath $archive.FullName -DestinationPath $Folder -Force
    }
}

# Returns the script that an attachment is: Main.ps1, or the only one that there is.
function Find-StepwellScript([string] $Folder, [string] $Named) {
    if ($Named -like '*.ps1') {
        return (Join-Path $Folder $Named)
    }
    $scripts = @(Get-ChildItem -LiteralPath $Folder -Filter '*.ps1' -File)
    $main = @($scripts | Where-Object { $_.Name -eq 'Main.ps1' })
    if ($main.Count -eq 1) {
        return $main[0].FullName
    }
    if ($scripts.Count -eq 1) {
        return $scripts[0].FullName
    }
    throw "The attachment $Named holds neither Main.ps1 nor a single script."
}

# Returns the text of an error: the script's own frames, then class and message.
function Format-StepwellFailure($Record) {
    $frames = "$($Record.ScriptStackTrace)" -split "`n"
    $frames = @($frames | Where-Object { $_ -notmatch 'harness\.ps1|<No file>' })
    $what = "$($Record.Exception.GetType().Name) - $($Record.Exception.Message)"
    return (($frames -join "`n") + "`n`n" + $what)
}

# Returns what the script has put out, as a member of the result.
function ConvertTo-StepwellResult($Last) {
    if ($null -eq $Last) {
        return '{"payload":null}'
    }
    if ($Last -is [string]) {
        return (ConvertTo-Json -Compress -InputObject @{ text = "$Last" })
    }
    return '{"payload":' + (ConvertTo-Json -Compress -InputObject $Last) + '}'
}

try {
    $env:InputPayload = [System.IO.File]::ReadAllText((Join-Path $PSScriptRoot 'input.json'))
    if (Test-Path -LiteralPath $__stepwell.Attachments) {
        $__stepwell.Named = ''
        if (Test-Path -LiteralPath $__stepwell.Attachment) {
            $__stepwell.Named = [System.IO.File]::ReadAllText($__stepwell.Attachment)
        }
        Expand-StepwellArchive $__stepwell.Attachments $__stepwell.Named
        $env:PSModulePath = "$($__stepwell.Attachments):$env:PSModulePath"
        Set-Location -LiteralPath $__stepwell.Attachments
        if (-not (Test-Path -LiteralPath $__stepwell.Script)) {
            $__stepwell.Script = Find-StepwellScript $__stepwell.Attachments $__stepwell.Named
        }
    }
    # All streams as one, in order: an error is one whether the script goes on behind it or not.
    & $__stepwell.Script *>&1 | ForEach-Object {
        if ($_ -is [System.Management.Automation.ErrorRecord]) {
            [System.Console]::Out.WriteLine("$_")
            # What programs print to their standard error is no error of the script.
            if ($_.FullyQualifiedErrorId -notlike 'NativeCommandError*') {
                $__stepwell.Failure = $_
            }
        } elseif ($_ -is [System.Management.Automation.InformationRecord]) {
            [System.Console]::Out.WriteLine("$_")
        } elseif ($_ -is [System.Management.Automation.InformationalRecord]) {
            [System.Console]::Out.WriteLine("$_")
        } else {
            $__stepwell.Last = $_
        }
    }
    if ($null -eq $__stepwell.Failure) {
        $__stepwell.Json = ConvertTo-StepwellResult $__stepwell.Last
    }
} catch {
    $__stepwell.Failure = $_
}
if ($null -ne $__stepwell.Failure) {
    $__stepwell.Text = Format-StepwellFailure $__stepwell.Failure
    $__stepwell.Json = ConvertTo-Json -Compress -InputObject @{ failure = $__stepwell.Text }
}
[System.Console]::Out.Flush()
[System.IO.File]::WriteAllText($__stepwell.Result, $__stepwell.Json)
