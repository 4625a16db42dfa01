package adapter_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	kiota "github.com/microsoft/kiota-abstractions-go"
	"github.com/microsoftgraph/msgraph-sdk-go/domains"
	"github.com/microsoftgraph/msgraph-sdk-go/models"
	"github.com/microsoftgraph/msgraph-sdk-go/rolemanagement"

	"github.com/hacsync/hacsync/graphclient/adapter"
)

const root = "https://graph.example/v1.0"

// answering is a Send that keeps what was asked for and answers it once.
func answering(asked *adapter.Request, status int, body string) adapter.Send {
	return func(_ context.Context, r adapter.Request) error {
		*asked = r
		return r.Accept(status, []byte(body))
	}
}

func TestAdapter_ReadsAListIntoModels(t *testing.T) {
	var asked adapter.Request
	page, err := domains.NewDomainsRequestBuilderInternal(adapter.New(root, answering(&asked, 200,
		`{"value":[{"id":"midori.example","isVerified":true,"somethingNew":{"a":1}}],"@odata.nextLink":"https://graph.example/v1.0/domains?$skiptoken=x"}`))).
		Get(t.Context(), &domains.DomainsRequestBuilderGetRequestConfiguration{
			QueryParameters: &domains.DomainsRequestBuilderGetQueryParameters{Select: []string{"id", "isVerified"}},
		})
	if err != nil {
		t.Fatal(err)
	}
	if asked.Method != http.MethodGet || asked.URL != root+"/domains?$select=id,isVerified" || asked.Header.Get("Accept") == "" || asked.Body != nil {
		t.Errorf("asked for %+v", asked)
	}
	if all := page.GetValue(); len(all) != 1 || *all[0].GetId() != "midori.example" || !*all[0].GetIsVerified() || *page.GetOdataNextLink() == "" {
		t.Errorf("%+v", all)
	}
}

// What is not understood reaches the Send, which may ask again.
func TestAdapter_TakesNoAnswerForLess(t *testing.T) {
	for body, want := range map[string]error{
		"": adapter.ErrEmpty, " \n": adapter.ErrEmpty, "null": adapter.ErrEmpty,
		"{}": adapter.ErrNoValue, "[]": adapter.ErrNoValue, `{"value":null}`: adapter.ErrNoValue, `{"Value":[]}`: adapter.ErrNoValue,
		"<html>": nil, `{"value":[]`: nil, `{"value":[]}{}`: nil, `{"value":{}}`: nil, `{"value":"x"}`: nil,
		`{"value":[],"@odata.nextLink":5}`: nil, `{"value":[{"id":5}]}`: nil, `{"value":[{"isVerified":"yes"}]}`: nil,
	} {
		var accepted error
		_, err := domains.NewDomainsRequestBuilderInternal(adapter.New(root, func(_ context.Context, r adapter.Request) error {
			accepted = r.Accept(200, []byte(body))
			return accepted
		})).Get(t.Context(), nil)
		if accepted == nil || !errors.Is(err, accepted) || want != nil && !errors.Is(err, want) {
			t.Errorf("%q: accepted %v, returned %v, want %v", body, accepted, err, want)
		}
	}
}

func TestAdapter_AnErrorOfTheSendComesBackAsItIs(t *testing.T) {
	mine := errors.New("refused")
	_, err := domains.NewDomainsRequestBuilderInternal(adapter.New(root, func(context.Context, adapter.Request) error { return mine })).Get(t.Context(), nil)
	if !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
}

func TestAdapter_WritesWhatWasSetAndNullForWhatWasCleared(t *testing.T) {
	var asked adapter.Request
	d := models.NewDomain()
	d.SetId(new("midori.example"))
	d.SetModel(nil)
	headers := kiota.NewRequestHeaders()
	headers.Add("Prefer", "create-if-missing")
	made, err := domains.NewDomainsRequestBuilderInternal(adapter.New(root, answering(&asked, http.StatusNoContent, ""))).
		Post(t.Context(), d, &domains.DomainsRequestBuilderPostRequestConfiguration{Headers: headers})
	if err != nil || made != nil {
		t.Fatalf("%v, %v", made, err)
	}
	if asked.Method != http.MethodPost || asked.Header.Get("Prefer") != "create-if-missing" || asked.Header.Get("Content-Type") != "application/json" {
		t.Errorf("asked for %+v", asked)
	}
	body := string(asked.Body)
	if !strings.Contains(body, `"id":"midori.example"`) || !strings.Contains(body, `"model":null`) || strings.Contains(body, "isVerified") {
		t.Errorf("body %s", body)
	}
	again, err := adapter.Encode(d)
	if err != nil || string(again) != body {
		t.Errorf("encoded alone: %s, %v", again, err)
	}
}

// The SDK's models are strict: what Graph writes in an eligibility, durations
// and dates without a zone or with seven digits, must not fail the read of it.
func TestAdapter_ReadsEligibilitiesAsGraphWritesThem(t *testing.T) {
	for _, expiration := range []string{
		`{"type":"noExpiration","endDateTime":null,"duration":null}`,
		`{"type":"afterDuration","endDateTime":"2027-01-01T00:00:00.1234567Z","duration":"P365D"}`,
		`{"type":"afterDuration","duration":"PT8H"}`, `{"type":"afterDateTime","endDateTime":"2027-01-01T00:00:00"}`,
		`{"type":"afterDuration","duration":"P1Y6M"}`, `{"type":"aTypeOfTomorrow"}`,
	} {
		var asked adapter.Request
		page, err := rolemanagement.NewRoleManagementRequestBuilderInternal(adapter.New(root, answering(&asked, 200,
			`{"value":[{"id":"e1","principalId":"p1","createdDateTime":null,"modifiedDateTime":"0001-01-01T08:00:00Z","memberType":"Direct","scheduleInfo":{"startDateTime":"2026-01-01T00:00:00.1234567Z","recurrence":null,"expiration":`+expiration+`}}]}`))).
			Directory().RoleEligibilitySchedules().Get(t.Context(), nil)
		if err != nil {
			t.Errorf("%s: %v", expiration, err)
			continue
		}
		if all := page.GetValue(); len(all) != 1 || *all[0].GetPrincipalId() != "p1" {
			t.Errorf("%+v", all)
		}
	}
}
