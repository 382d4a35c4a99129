namespace PassNumerique.Platform.Data;

/// <summary>The start can't go on: one clear line for the operator, exit code 2.</summary>
internal sealed class StartException(string message) : Exception(message)
{
    /// <summary>The one line that says why a start failed; null where it is a bug and the trace is needed.</summary>
    public static string? Explain(Exception exception) => exception switch
    {
        StartException or KeyFileException => exception.Message,
        System.Data.Common.DbException => $"Le magasin ne peut pas être ouvert : {exception.Message}",
        IOException { InnerException: Microsoft.AspNetCore.Connections.AddressInUseException } =>
            "L'adresse est déjà prise par un autre programme : arrêtez-le, ou choisissez-en une autre par ASPNETCORE_URLS.",
        _ => null,
    };
}

/// <summary>One process writes an embedded store. The operating system frees the lock when it ends.</summary>
internal static class StoreLock
{
    public static FileStream Take(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            return new FileStream(Path.Combine(folder, "store.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (UnauthorizedAccessException)
        {
            throw new StartException($"Le dossier « {folder} » n'est pas accessible en écriture (réglage PassNumerique__Data).");
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            throw new StartException(
                $"Le magasin de « {folder} » est déjà ouvert par un autre processus : arrêtez le service d'abord.");
        }
        catch (IOException exception)
        {
            throw new StartException($"Le dossier « {folder} » ne peut pas être créé (réglage PassNumerique__Data) : {exception.Message}");
        }
    }
}

/// <summary>At the start: is the store the one that the head file saw last?</summary>
internal static class HeadCheck
{
    /// <summary>The head is read before the store: another copy of the service may be sealing meanwhile.</summary>
    public static async Task ThrowIfAheadAsync(System.Data.Common.DbConnection connection, string? path)
    {
        if (HeadFile.Last(path) is not { } head) return;
        var last = await Sealing.LastAsync(connection);
        if (head.Batch > last.Batch)
        {
            throw new StartException(
                $"Le journal de tête « {path} » connaît le lot {head.Batch}, le magasin s'arrête au lot {last.Batch} : "
                + "des écritures confirmées manquent. Restaurez le bon magasin, ou déplacez ce fichier si la restauration est voulue.");
        }

        var seal = await Sealing.FindAsync(connection, head.Batch);
        if (seal?.Chain != head.Chain)
        {
            throw new StartException(
                $"Le lot {head.Batch} du magasin n'est pas celui que le journal de tête « {path} » a vu : le magasin a été modifié. "
                + "Lancez « verify », puis restaurez une sauvegarde.");
        }
    }
}
